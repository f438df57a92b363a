// Donors with StateKeepers, and the network between them and one newcomer, which does nothing by
// itself: frames lie in `underway` until the test delivers, drops, repeats or changes them. Calls are
// answered as soon as the executor runs.

#ifndef STARLING_TESTS_PEER_STATE_STATE_WORLD_H_
#define STARLING_TESTS_PEER_STATE_STATE_WORLD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "peer/runtime/random.h"
#include "peer/state/state_keeper.h"
#include "peer/transport/transport.h"
#include "tests/peer/gossip/fake_parameter_owner.h"
#include "tests/peer/runtime/manual_executor.h"

namespace starling {

inline std::string DonorAddress(uint64_t id) { return absl::StrCat("donor", id, ":1"); }

class StateWorld : public Transport {
 public:
  struct Donor {
    Donor(StateWorld* world, uint64_t id, std::vector<float> values, StateKeeperOptions options)
        : identity(world->IdentityOf(id)),
          owner(std::move(values)),
          keeper(&world->executor, &owner, identity, options) {}
    const FrameIdentity identity;
    FakeParameterOwner owner;
    StateKeeper keeper;
    bool silent = false;                            // answers no call
    std::function<void(v1::ControlResponse&)> lie;  // changes its answers to Hold
    int holds = 0;
    std::vector<uint64_t> released;
  };
  struct Message {
    std::string donor;
    bool to_donor;
    Frame frame;
  };

  // `shards` is how everybody here cuts the parameters.
  explicit StateWorld(ShardMap shards) : shards(shards), self(IdentityOf(99)) {}

  FrameIdentity IdentityOf(uint64_t id) const {
    return FrameIdentity{PeerId(id), 1, RunId(7), 1, ModelFingerprint(9), shards};
  }
  std::vector<float> Draw(uint64_t seed) const {
    Random random(seed);
    std::vector<float> values(shards.elements);
    for (float& value : values) value = static_cast<float>(random.Normal());
    return values;
  }
  // A donor with random parameters, at step 1000 * id.
  Donor& AddDonor(uint64_t id, StateKeeperOptions options = {}) {
    auto& donor = donors[DonorAddress(id)] = std::make_unique<Donor>(this, id, Draw(id), options);
    donor->owner.step = 1000 * id;
    donor->owner.samples = 32000 * id;
    return *donor;
  }
  Donor& donor(uint64_t id) { return *donors.at(DonorAddress(id)); }

  void SetDelegate(Delegate*) override {}
  absl::Status SendFrame(const std::string& address, Frame frame) override {
    SealFrame(frame);
    underway.push_back({address, true, std::move(frame)});
    return absl::OkStatus();
  }
  void Call(const std::string& address, v1::ControlRequest request, absl::Duration timeout,
            CallCallback done) override {
    if (donors.count(address) == 0) {
      executor.Post([done = std::move(done)]() mutable { done(absl::UnavailableError("refused")); });
      return;
    }
    if (donors.at(address)->silent) {
      executor.ScheduleAt(executor.Now() + timeout, [done = std::move(done)]() mutable {
        done(absl::DeadlineExceededError("no answer"));
      });
      return;
    }
    executor.Post([this, address, request, done = std::move(done)]() mutable {
      Serve(*donors.at(address), request, std::move(done));
    });
  }
  void Forget(const std::string&) override {}
  uint64_t bytes_sent() const override { return 0; }
  uint64_t bytes_received() const override { return 0; }

  // Runs what is posted and lets the donors' trainers serve, until nothing more happens.
  void Run() {
    for (bool busy = true; busy;) {
      executor.RunPosted();
      busy = false;
      for (auto& [address, donor] : donors) {
        busy |= donor->owner.waiting() > 0;
        donor->owner.Boundary();
      }
    }
  }
  void Deliver(Message message) {
    executor.Do([&] {
      // What does not pass is refused by the receiving transport.
      if (InspectFrame(message.frame)) return;
      if (!message.to_donor) {
        if (!Admit(self, message.frame.header) && on_frame) on_frame(message.frame);
        return;
      }
      Donor& donor = *donors.at(message.donor);
      ASSERT_FALSE(Admit(donor.identity, message.frame.header).has_value());
      const auto back = std::make_shared<Back>(this, message.donor);
      const absl::optional<FrameFault> fault = donor.keeper.OnRequest(message.frame, back);
      if (!fault) return;
      Frame refusal = MakeRefusal(message.frame.header, fault->reason, fault->detail);
      refusal.header.set_sender(donor.identity.peer.value());
      back->Send(std::move(refusal));
    });
    Run();
  }
  Message TakeFirst() {
    Message first = std::move(underway.front());
    underway.pop_front();
    return first;
  }
  void Settle() {
    for (Run(); !underway.empty(); Run()) Deliver(TakeFirst());
  }

  const ShardMap shards;
  const FrameIdentity self;
  ManualExecutor executor;
  std::map<std::string, std::unique_ptr<Donor>> donors;
  std::deque<Message> underway;
  // The newcomer.
  std::function<void(const Frame&)> on_frame;

 private:
  struct Back : public ReplyPath {
    Back(StateWorld* world, std::string donor) : world(world), donor(std::move(donor)) {}
    void Send(Frame frame) override {
      SealFrame(frame);
      world->underway.push_back({donor, false, std::move(frame)});
    }
    StateWorld* const world;
    const std::string donor;
  };

  void Serve(Donor& donor, const v1::ControlRequest& request, CallCallback done) {
    if (request.has_release_state()) {
      donor.released.push_back(request.release_state().state_id());
      donor.keeper.Release(request.release_state().state_id());
      done(v1::ControlResponse());
      return;
    }
    ++donor.holds;
    donor.keeper.Hold(request.hold_state(), [&donor, done = std::move(done)](v1::ControlResponse response) mutable {
      if (donor.lie) donor.lie(response);
      done(std::move(response));
    });
  }
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_STATE_STATE_WORLD_H_
