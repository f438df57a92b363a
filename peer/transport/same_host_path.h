// One end of a stream whose other end may be a process of the same host: then payloads are referred to,
// and the receiver copies them from the sender's memory, once, instead of both sending them through the
// network's buffers. Half the work of a shard's way; proto/peer.proto has the messages.
//
// Trust: nobody reads memory of a process that has not shown, by putting a number of the reader's choice
// there, that it is the other end of this stream. Whoever is remote cannot, so it cannot make us copy from
// elsewhere.
//
// A payload that is referred to stays until the receiver says that it has done with it, or the stream ends.
// Then its ticket is wiped first; a receiver that finds the ticket intact after copying has copied what
// was meant.
//
// Not thread-safe, but for Fetch.

#ifndef STARLING_PEER_TRANSPORT_SAME_HOST_PATH_H_
#define STARLING_PEER_TRANSPORT_SAME_HOST_PATH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "peer/runtime/shared_bytes.h"
#include "proto/peer.pb.h"

namespace starling {

class SameHostPath {
 public:
  // Smaller payloads are carried by their frames: the detour costs more than the copy.
  static constexpr size_t kLeastPayload = size_t{32} << 10;
  // Up: fewer messages; down: the sender's memory is free sooner.
  static constexpr size_t kMostUntold = size_t{8} << 20;

  // `challenge` is hard to guess and not 0.
  explicit SameHostPath(uint64_t challenge) : challenge_(challenge) {}
  // Forgets what is kept.
  ~SameHostPath();
  SameHostPath(const SameHostPath&) = delete;
  SameHostPath& operator=(const SameHostPath&) = delete;

  // What the stream begins with; nullopt if this host has no name.
  absl::optional<v1::SameHost> Propose() const;
  // The other end says something; what to answer, if anything. `*released`: bytes of payloads that it has
  // done with. Nonsense is ignored.
  absl::optional<v1::SameHost> OnWord(const v1::SameHost& word, size_t* released);

  // Sending: whether the other end copies payloads of this size from here.
  bool Takes(size_t payload_bytes) const { return sends_ && payload_bytes >= kLeastPayload; }
  // Keeps the payload; the reference to send instead of it.
  v1::SameHost Refer(SharedBytes payload);
  // Something is kept.
  bool keeps() const { return !kept_.empty(); }

  // Receiving: the process to Fetch from, 0 if none has been accepted.
  int64_t process() const { return process_; }
  // Copies what `reference` refers to; into.size() is its payload_bytes.
  // FAILED_PRECONDITION: it cannot be read. DATA_LOSS: it has been forgotten meanwhile.
  static absl::Status Fetch(int64_t process, const v1::SameHost& reference, absl::Span<char> into);
  // To be called after each reference was dealt with; the next word to the other end tells it.
  void NoteFetched(size_t payload_bytes) {
    ++fetched_;
    untold_bytes_ += payload_bytes;
  }
  bool fetched_untold() const { return fetched_ != fetched_told_; }
  // So much that it should not wait for a frame to travel with.
  bool owes_word() const { return untold_bytes_ >= kMostUntold; }
  // Adds it to a word that is on its way.
  void TellFetched(v1::SameHost* word);

 private:
  struct Kept {
    SharedBytes payload;
    std::unique_ptr<std::atomic<uint64_t>> ticket;
  };
  void ForgetFirst();

  const uint64_t challenge_;  // ours
  // As sender.
  std::unique_ptr<uint64_t> shown_;  // the other end's challenge, where it reads it
  bool sends_ = false;
  std::deque<Kept> kept_;
  uint64_t forgotten_ = 0;
  uint64_t tickets_ = 0;
  // As receiver.
  int64_t process_ = 0;  // accepted
  bool proof_seen_ = false;  // there is one try
  uint64_t fetched_ = 0;
  uint64_t fetched_told_ = 0;
  size_t untold_bytes_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_TRANSPORT_SAME_HOST_PATH_H_
