#include "tests/sim/sim_network.h"

#include <algorithm>
#include <cmath>
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

absl::Status ValidateShare(const char* name, double share) {
  if (share >= 0 && share <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", share, "; must be in [0, 1]"));
}

absl::Status ValidateTime(const char* name, absl::Duration time) {
  if (time >= absl::ZeroDuration() && time <= absl::Hours(1)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", absl::FormatDuration(time), "; must be from 0 to 1h"));
}

uint64_t Nanos(absl::optional<absl::Duration> delay) {
  return delay ? static_cast<uint64_t>(absl::ToInt64Nanoseconds(*delay)) : ~uint64_t{0};
}

}  // namespace

absl::Status SimNetworkOptions::Validate() const {
  for (const absl::Status& status :
       {ValidateShare("loss", loss), ValidateShare("duplication", duplication),
        ValidateShare("corruption", corruption), ValidateShare("replay", replay),
        ValidateTime("replay_after", replay_after), ValidateTime("delay_floor", delay_floor),
        ValidateTime("delay_spread", delay_spread),
        ValidateTime("unreachable_after", unreachable_after)}) {
    if (!status.ok()) return status;
  }
  if (!(bandwidth.up > 0 && bandwidth.down > 0)) {
    return absl::InvalidArgumentError(absl::StrCat("bandwidth is ", bandwidth.up, " up and ",
                                                   bandwidth.down, " down; must be positive"));
  }
  if (path_frames == 0) return absl::InvalidArgumentError("path_frames is 0; must be positive");
  if (path_bytes < kMaxPayloadBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "path_bytes is ", path_bytes, "; must hold a frame of ", kMaxPayloadBytes, " bytes"));
  }
  return absl::OkStatus();
}

SimTraffic& SimTraffic::operator+=(const SimTraffic& more) {
  frames += more.frames;
  payload_bytes += more.payload_bytes;
  frame_bytes += more.frame_bytes;
  calls += more.calls;
  call_bytes += more.call_bytes;
  return *this;
}

// A copy of a frame on its way.
struct SimNetwork::Delivery {
  uint64_t from;
  std::string from_address;
  uint64_t to;
  Frame frame;
  std::shared_ptr<const SimPathCredit> credit;
};

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
  addresses_.insert(address);
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

absl::Status SimNetwork::ValidateLink(const SimLink& link) {
  for (const absl::Status& status :
       {ValidateShare("loss", link.loss), ValidateTime("delay_floor", link.delay_floor),
        ValidateTime("delay_spread", link.delay_spread)}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool SimNetwork::IsReliable(const std::string& from, const std::string& to) const {
  const auto link = links_.find({from, to});
  return !IsCut(from, to) && (link == links_.end() ? options_.loss : link->second.loss) == 0;
}

SimExecutor* SimNetwork::Wire() {
  if (wire_ == nullptr) wire_ = world_->NewExecutor("wire");
  return wire_;
}

void SimNetwork::KeepForReplay(const SimTransport& from, const std::string& address, Frame frame) {
  const absl::Duration later =
      absl::Seconds(random_.Exponential(absl::ToDoubleSeconds(options_.replay_after)));
  Wire()->ArriveAt(
      world_->now() + later, [this, from_id = from.id_, from_address = from.address_, address,
                              frame = std::move(frame)]() mutable {
        SimTransport* const to = ListenerAt(address);
        if (to == nullptr || IsCut(from_address, address)) return;
        ++counters_.replayed;
        to->control_->ArriveAt(world_->now(), [this, id = to->id_, from_id, from_address,
                                               frame = std::move(frame)]() mutable {
          SimTransport* const receiver = Find(id);
          if (receiver != nullptr) receiver->Receive(std::move(frame), from_address, from_id);
        });
      });
}

void SimNetwork::SetLink(const std::string& from, const std::string& to, const SimLink& link) {
  STARLING_CHECK(ValidateLink(link).ok());
  links_[{from, to}] = link;
}

bool SimNetwork::links_clean() const {
  return std::all_of(links_.begin(), links_.end(),
                     [](const auto& entry) { return entry.second.loss == 0; });
}

void SimNetwork::SetBandwidth(const std::string& address, const SimBandwidth& bandwidth) {
  STARLING_CHECK(bandwidth.up > 0 && bandwidth.down > 0);
  bandwidths_[address] = bandwidth;
}

const SimBandwidth& SimNetwork::BandwidthOf(const std::string& address) const {
  const auto found = bandwidths_.find(address);
  return found == bandwidths_.end() ? options_.bandwidth : found->second;
}

absl::Duration SimNetwork::Occupy(absl::Time& free, double bandwidth, size_t bytes) {
  free = std::max(free, world_->now()) + absl::Seconds(static_cast<double>(bytes) / bandwidth);
  return free - world_->now();
}

absl::Duration SimNetwork::Delay(absl::Duration floor, absl::Duration spread) {
  return floor + absl::Seconds(random_.Exponential(absl::ToDoubleSeconds(spread)));
}

absl::optional<absl::Duration> SimNetwork::Passage(const std::string& from, const std::string& to) {
  absl::optional<absl::Duration> delay;
  SimLink link{options_.loss, options_.delay_floor, options_.delay_spread};
  if (!links_.empty()) {
    if (const auto found = links_.find({from, to}); found != links_.end()) link = found->second;
  }
  if (!IsCut(from, to) && !random_.Bernoulli(link.loss)) {
    delay = Delay(link.delay_floor, link.delay_spread);
  }
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
  const size_t bytes = frame.payload.size() + frame.header.ByteSizeLong();
  absl::Duration queued;
  if (const double up = BandwidthOf(from.address_).up; std::isfinite(up)) {
    queued = Occupy(lines_[from.address_].up_free, up, bytes);
  }
  const bool narrow = std::isfinite(BandwidthOf(address).down);
  if (options_.replay > 0 && random_.Bernoulli(options_.replay)) {
    KeepForReplay(from, address, frame);
  }
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
    Delivery delivery{from.id_, from.address_, to->id_, frame, credit};
    if (!frame.payload.empty() && random_.Bernoulli(options_.corruption)) {
      ++counters_.corrupted;
      delivery.frame.payload =
          Corrupted(frame.payload, random_.UniformInt(frame.payload.size() * 8));
    }
    SimExecutor* const arrival = narrow ? Wire() : to->control_;
    arrival->ArriveAt(world_->now() + queued + *delay,
                        [this, narrow, delivery = std::move(delivery)]() mutable {
                          narrow ? Arrive(std::move(delivery)) : Deliver(std::move(delivery));
                        });
  }
  return true;
}

void SimNetwork::Arrive(Delivery delivery) {
  SimTransport* const receiver = Find(delivery.to);
  if (receiver == nullptr) return;
  const std::string& address = receiver->address_;
  const size_t bytes = delivery.frame.payload.size() + delivery.frame.header.ByteSizeLong();
  const absl::Duration queued =
      Occupy(lines_[address].down_free, BandwidthOf(address).down, bytes);
  receiver->control_->ArriveAt(
      world_->now() + queued,
      [this, delivery = std::move(delivery)]() mutable { Deliver(std::move(delivery)); });
}

void SimNetwork::Deliver(Delivery delivery) {
  SimTransport* const receiver = Find(delivery.to);
  if (receiver == nullptr || IsCut(delivery.from_address, receiver->address_)) return;
  if (!delivery.credit->open()) {
    ++counters_.forgotten;
    return;
  }
  delivery.credit.reset();
  receiver->Receive(std::move(delivery.frame), delivery.from_address, delivery.from);
}

}  // namespace starling
