#include "tests/sim/sim_network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "peer/runtime/check.h"
#include "tests/sim/sim_transport.h"

namespace starling {
namespace {

// A copy in memory of its own, aligned for floats, with one bit flipped.
SharedBytes Corrupted(const SharedBytes& payload, uint64_t bit) {
  const size_t floats = (payload.size() + sizeof(float) - 1) / sizeof(float);
  const std::shared_ptr<float[]> copy(new float[floats]);
  std::memcpy(copy.get(), payload.data(), payload.size());
  reinterpret_cast<unsigned char*>(copy.get())[bit / 8] ^=
      static_cast<unsigned char>(1u << (bit % 8));
  return SharedBytes(copy, copy.get(), payload.size());
}

uint64_t Nanos(absl::optional<absl::Duration> delay) {
  return delay ? static_cast<uint64_t>(absl::ToInt64Nanoseconds(*delay)) : ~uint64_t{0};
}

}  // namespace

absl::Status SimNetworkOptions::Validate() const {
  const std::pair<const char*, double> shares[] = {
      {"loss", loss}, {"duplication", duplication}, {"corruption", corruption}};
  for (const auto& [name, share] : shares) {
    if (!(share >= 0 && share <= 1)) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is ", share, "; must be in [0, 1]"));
    }
  }
  const std::pair<const char*, absl::Duration> times[] = {{"delay_floor", delay_floor},
                                                          {"delay_spread", delay_spread},
                                                          {"unreachable_after", unreachable_after}};
  for (const auto& [name, time] : times) {
    if (time < absl::ZeroDuration() || time > absl::Hours(1)) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " is ", absl::FormatDuration(time), "; must be from 0 to 1h"));
    }
  }
  if (path_frames == 0) return absl::InvalidArgumentError("path_frames is 0; must be positive");
  if (path_bytes < kMaxPayloadBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "path_bytes is ", path_bytes, "; must hold a frame of ", kMaxPayloadBytes, " bytes"));
  }
  return absl::OkStatus();
}

SimNetwork::SimNetwork(SimWorld* world, const SimNetworkOptions& options, Random random)
    : world_(world), options_(options), random_(random) {
  STARLING_CHECK(options.Validate().ok());
}

std::unique_ptr<SimTransport> SimNetwork::TransportFor(const std::string& address,
                                                       SimExecutor* control,
                                                       const Identity& identity) {
  std::unique_ptr<SimTransport> transport(
      new SimTransport(this, next_id_++, address, control, identity));
  STARLING_CHECK(listeners_.emplace(address, transport.get()).second);
  transports_[transport->id_] = transport.get();
  return transport;
}

void SimNetwork::Cut(const std::set<std::string>& from, const std::set<std::string>& to) {
  for (const std::string& sender : from) {
    for (const std::string& receiver : to) cuts_.emplace(sender, receiver);
  }
}

void SimNetwork::Partition(const std::set<std::string>& some, const std::set<std::string>& others) {
  Cut(some, others);
  Cut(others, some);
}

bool SimNetwork::IsCut(const std::string& from, const std::string& to) const {
  return cuts_.count({from, to}) > 0;
}

absl::Duration SimNetwork::Delay() {
  return options_.delay_floor +
         absl::Seconds(random_.Exponential(absl::ToDoubleSeconds(options_.delay_spread)));
}

absl::optional<absl::Duration> SimNetwork::Passage(const std::string& from, const std::string& to) {
  absl::optional<absl::Duration> delay;
  if (!IsCut(from, to) && !random_.Bernoulli(options_.loss)) delay = Delay();
  world_->trace().Add({Nanos(delay)});
  return delay;
}

SimTransport* SimNetwork::ListenerAt(const std::string& address) const {
  const auto found = listeners_.find(address);
  return found == listeners_.end() ? nullptr : found->second;
}

SimTransport* SimNetwork::Find(uint64_t id) const {
  const auto found = transports_.find(id);
  return found == transports_.end() ? nullptr : found->second;
}

void SimNetwork::Remove(SimTransport* transport) {
  transports_.erase(transport->id_);
  listeners_.erase(transport->address_);
  for (const auto& [id, other] : transports_) {
    if (other->paths_.count(transport->address_) > 0 &&
        !IsCut(transport->address_, other->address_)) {
      other->HintBroken(transport->address_);
    }
  }
}

bool SimNetwork::Carry(const SimTransport& from, const std::string& address, uint64_t only,
                       Frame frame, std::shared_ptr<const SimPathCredit> credit) {
  ++counters_.frames;
  SimTransport* const to = ListenerAt(address);
  if (to == nullptr || (only != 0 && to->id_ != only)) return false;
  int copies = 1;
  if (random_.Bernoulli(options_.duplication)) {
    ++counters_.duplicated;
    ++copies;
  }
  for (; copies > 0; --copies) {
    const absl::optional<absl::Duration> delay = Passage(from.address_, address);
    world_->trace().Add({from.id_, to->id_, static_cast<uint64_t>(frame.header.kind()),
                         frame.header.exchange_id(), frame.header.shard(),
                         frame.header.payload_hash()});
    if (!delay) {
      ++counters_.lost;
      continue;
    }
    Frame copy = frame;
    if (!frame.payload.empty() && random_.Bernoulli(options_.corruption)) {
      ++counters_.corrupted;
      copy.payload = Corrupted(frame.payload, random_.UniformInt(frame.payload.size() * 8));
    }
    to->control_->ScheduleAt(
        world_->now() + *delay,
        [this, to_id = to->id_, from_id = from.id_, from_address = from.address_,
         copy = std::move(copy), credit]() mutable {
          SimTransport* const receiver = Find(to_id);
          if (receiver == nullptr || IsCut(from_address, receiver->address_)) return;
          if (!credit->open()) {
            ++counters_.forgotten;
            return;
          }
          credit.reset();
          receiver->Receive(std::move(copy), from_address, from_id);
        });
  }
  return true;
}

}  // namespace starling
