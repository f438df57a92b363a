// A gRPC server as every daemon of ours runs it: Asio owns the listening socket and hands accepted
// connections to gRPC, server reflection and a describable grpc.health.v1 are on, limits are set.
//
// Why not gRPC's own listener: gRPC 1.51's never accepts again once the process ran out of file
// descriptors, and by default lets two daemons share one port without a word.

#ifndef STARLING_PEER_RUNTIME_GRPC_SERVER_H_
#define STARLING_PEER_RUNTIME_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace grpc {
class Service;
}

namespace starling {

class GrpcServer {
 public:
  struct Options {
    // "host:port"; port 0 takes a free one.
    std::string listen = "127.0.0.1:0";
    // Open connections above which new ones are closed at once. Up: more clients; down: fewer file
    // descriptors at risk.
    int max_connections = 512;
  };

  // INVALID_ARGUMENT: `listen` is not host:port or does not resolve. UNAVAILABLE: the port is taken
  // (the message says so, and by whom to look). `services` must outlive the server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const Options& options, const std::vector<grpc::Service*>& services);

  virtual ~GrpcServer() = default;

  // host:port as bound, for other processes to dial.
  virtual const std::string& address() const = 0;

  // Health of one service name; "" is the process and serves from the start.
  virtual void SetServing(absl::string_view service, bool serving) = 0;

  // Stops accepting, lets running calls end for `grace`, cancels the rest. Blocks that long at
  // most.
  virtual void Shutdown(absl::Duration grace) = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_RUNTIME_GRPC_SERVER_H_
