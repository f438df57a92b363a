#include "peer/transport/same_host_path.h"

#include <unistd.h>

#include <utility>

#include "peer/runtime/check.h"
#include "peer/transport/same_host_memory.h"

namespace starling {

absl::optional<v1::SameHost> SameHostPath::Propose() const {
  if (HostId().empty()) return absl::nullopt;
  v1::SameHost proposal;
  proposal.set_host(HostId());
  proposal.set_challenge(challenge_);
  return proposal;
}

absl::optional<v1::SameHost> SameHostPath::OnWord(const v1::SameHost& word, size_t* released) {
  *released = 0;
  // No more than was referred to.
  while (!kept_.empty() && forgotten_ < word.fetched()) {
    *released += kept_.front().payload.size();
    ForgetFirst();
  }
  if (word.declined()) {
    sends_ = false;
  } else if (word.accepted() && shown_ != nullptr) {
    sends_ = true;
  }
  v1::SameHost answer;
  if (word.challenge() != 0 && word.host() == HostId() && shown_ == nullptr) {
    shown_ = std::make_unique<uint64_t>(word.challenge());
    answer.set_process(static_cast<int32_t>(getpid()));
    answer.set_shown_at(reinterpret_cast<uint64_t>(shown_.get()));
  }
  if (word.shown_at() != 0 && !std::exchange(proof_seen_, true)) {
    uint64_t seen = 0;
    const RemotePiece piece{word.shown_at(), {reinterpret_cast<char*>(&seen), sizeof(seen)}};
    if (ReadProcessMemory(word.process(), {&piece, 1}).ok() && seen == challenge_) {
      process_ = word.process();
      answer.set_accepted(true);
    }
  }
  if (answer.shown_at() == 0 && !answer.accepted()) return absl::nullopt;
  return answer;
}

v1::SameHost SameHostPath::Refer(SharedBytes payload) {
  STARLING_CHECK(Takes(payload.size()));
  // Another one each time, and never 0.
  uint64_t ticket = *shown_ + ++tickets_;
  if (ticket == 0) ticket = *shown_ + ++tickets_;
  Kept& kept = kept_.emplace_back();
  kept.payload = std::move(payload);
  kept.ticket = std::make_unique<std::atomic<uint64_t>>(ticket);
  v1::SameHost reference;
  reference.set_payload_at(reinterpret_cast<uint64_t>(kept.payload.data()));
  reference.set_payload_bytes(static_cast<uint32_t>(kept.payload.size()));
  reference.set_ticket_at(reinterpret_cast<uint64_t>(kept.ticket.get()));
  reference.set_ticket(ticket);
  return reference;
}

void SameHostPath::ForgetFirst() {
  // Before the memory can be used for anything else.
  kept_.front().ticket->store(0);
  kept_.pop_front();
  ++forgotten_;
}

SameHostPath::~SameHostPath() {
  while (!kept_.empty()) ForgetFirst();
}

absl::Status SameHostPath::Fetch(int64_t process, const v1::SameHost& reference,
                                 absl::Span<char> into) {
  STARLING_CHECK(into.size() == reference.payload_bytes());
  uint64_t ticket = 0;
  const RemotePiece pieces[] = {
      {reference.payload_at(), into},
      {reference.ticket_at(), {reinterpret_cast<char*>(&ticket), sizeof(ticket)}}};
  if (absl::Status read = ReadProcessMemory(process, pieces); !read.ok()) return read;
  if (ticket == 0 || ticket != reference.ticket()) {
    return absl::DataLossError("the sender has given the payload up meanwhile");
  }
  return absl::OkStatus();
}

void SameHostPath::TellFetched(v1::SameHost* word) {
  word->set_fetched(fetched_);
  fetched_told_ = fetched_;
  untold_bytes_ = 0;
}

}  // namespace starling
