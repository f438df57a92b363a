// A little network of our own: a hub, in which this process lives, and nodes, each a network
// namespace with one cable to the hub. What nodes say to each other passes through the hub, where
// it can be cut, lost or slowed; what this process says to a node cannot.
//
//     this process ── hub ─┬─ 10.77.0.2   node 0
//                          ├─ 10.77.1.2   node 1
//                          └─ ...
//
// The namespaces have no names: they are held by descriptors of this process and are gone with it,
// however it ends. Needs the right to make namespaces, which is root's, and the programs ip, nft
// and tc. Not thread-safe: Enter() before any thread is started, the rest on the main thread.

#ifndef STARLING_PEER_CLI_CHAOS_NETWORK_H_
#define STARLING_PEER_CLI_CHAOS_NETWORK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starling {

class ChaosNetwork {
 public:
  // Moves this process into a hub of its own with `nodes` nodes, 1 to 200. It cannot move back: it
  // sees no other network any more. `work_directory` exists and takes what the programs complain.
  // UNAVAILABLE: this process may not, or a program is missing; names it and the remedy, and this
  // process has stayed where it was unless that was found out later.
  static absl::StatusOr<std::unique_ptr<ChaosNetwork>> Enter(int nodes,
                                                             const std::string& work_directory);
  ~ChaosNetwork();

  int nodes() const { return static_cast<int>(namespaces_.size()); }
  // Descriptor of the node's namespace, for ChildProcess::Options.
  int node_namespace(int node) const { return namespaces_[node]; }
  // Without port.
  std::string address(int node) const;

  // Drops everything between nodes of `left` and nodes of `right`. UNAVAILABLE: nft refused; also
  // below.
  absl::Status Partition(const std::vector<int>& left, const std::vector<int>& right);
  // Drops what nodes of `from` send to nodes of `to`; the other direction passes.
  absl::Status DropOneWay(const std::vector<int>& from, const std::vector<int>& to);
  // Drops each packet between two nodes with this probability, in per cent.
  absl::Status LosePackets(int per_cent);
  // Both directions of the node's cable carry no more than this. UNAVAILABLE: tc refused.
  absl::Status SlowDown(int node, int megabits_per_second);
  // Undoes all of the above.
  absl::Status Heal();

 private:
  ChaosNetwork(int nodes, std::string work_directory);

  absl::Status Build();
  absl::Status AddNode(int node);
  // Runs a program in the namespace of a node, or of the hub if `node` is negative.
  absl::Status Tool(int node, const std::string& program, std::vector<std::string> arguments);
  absl::Status Filter(const std::vector<std::string>& rules);
  std::string AddressSet(const std::vector<int>& nodes) const;

  const std::string work_directory_;
  std::vector<int> namespaces_;
  std::vector<int> slowed_;
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_CHAOS_NETWORK_H_
