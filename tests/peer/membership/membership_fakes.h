// The seams of membership with nothing behind them: they keep what was asked until the test
// answers.

#ifndef STARLING_TESTS_PEER_MEMBERSHIP_MEMBERSHIP_FAKES_H_
#define STARLING_TESTS_PEER_MEMBERSHIP_MEMBERSHIP_FAKES_H_

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "peer/membership/coordinator_client.h"
#include "peer/transport/transport.h"

namespace starling {

inline v1::Member TestPeer(uint64_t id, v1::PeerState state = v1::PEER_STATE_JOINING) {
  v1::Member member;
  member.set_peer_id(id);
  member.set_incarnation(1);
  member.set_address(absl::StrCat("10.0.0.1:", 7000 + id));
  member.set_state(state);
  return member;
}

class FakeCoordinatorClient : public CoordinatorClient {
 public:
  template <typename Request, typename Answer>
  struct Asked {
    Request request;
    absl::AnyInvocable<void(Answer)> done;
  };
  struct Watched {
    absl::AnyInvocable<void(v1::SwarmEvent)> event;
    absl::AnyInvocable<void(absl::Status)> closed;
  };

  const std::string& address() const override { return address_; }
  void Join(v1::JoinRequest request,
            absl::AnyInvocable<void(absl::StatusOr<v1::JoinResponse>)> done) override {
    joins.push_back({std::move(request), std::move(done)});
  }
  void Heartbeat(v1::HeartbeatRequest request,
                 absl::AnyInvocable<void(absl::StatusOr<v1::HeartbeatResponse>)> done) override {
    heartbeats.push_back({std::move(request), std::move(done)});
  }
  void Leave(v1::LeaveRequest request, absl::AnyInvocable<void(absl::Status)> done) override {
    leaves.push_back({std::move(request), std::move(done)});
  }
  void Watch(v1::WatchRequest, absl::AnyInvocable<void(v1::SwarmEvent)> event,
             absl::AnyInvocable<void(absl::Status)> closed) override {
    watches.push_back({std::move(event), std::move(closed)});
  }

  // Answers the oldest join with a lease of 5 s, heartbeat 1 s, and this view.
  void Admit(uint32_t slot = 0, const v1::SwarmView& view = {}) {
    v1::JoinResponse response;
    response.set_peer_id(joins.front().request.member().peer_id());
    response.set_slot(slot);
    response.set_lease_seconds(5);
    response.set_heartbeat_seconds(1);
    *response.mutable_view() = view;
    auto done = std::move(joins.front().done);
    joins.pop_front();
    done(response);
  }
  void RefuseJoin(absl::Status status) {
    auto done = std::move(joins.front().done);
    joins.pop_front();
    done(std::move(status));
  }
  void AnswerHeartbeat(absl::Status status = absl::OkStatus()) {
    auto done = std::move(heartbeats.front().done);
    heartbeats.pop_front();
    if (status.ok()) {
      done(v1::HeartbeatResponse());
    } else {
      done(std::move(status));
    }
  }

  std::deque<Asked<v1::JoinRequest, absl::StatusOr<v1::JoinResponse>>> joins;
  std::deque<Asked<v1::HeartbeatRequest, absl::StatusOr<v1::HeartbeatResponse>>> heartbeats;
  std::deque<Asked<v1::LeaveRequest, absl::Status>> leaves;
  std::vector<Watched> watches;

 private:
  const std::string address_ = "coordinator:7600";
};

class FakeTransport : public Transport {
 public:
  struct Asked {
    std::string address;
    v1::ControlRequest request;
    CallCallback done;
  };

  void SetDelegate(Delegate*) override {}
  absl::Status SendFrame(const std::string&, Frame) override { return absl::OkStatus(); }
  void Call(const std::string& address, v1::ControlRequest request, absl::Duration,
            CallCallback done) override {
    calls.push_back({address, std::move(request), std::move(done)});
  }
  void Forget(const std::string& address) override { forgotten.push_back(address); }
  uint64_t bytes_sent() const override { return 0; }
  uint64_t bytes_received() const override { return 0; }

  // Answers the oldest call as `peer`, of this run, would.
  void Pong(const v1::Member& peer, uint64_t run_id, std::vector<v1::Member> view = {}) {
    v1::ControlResponse response;
    *response.mutable_sender() = peer;
    response.set_run_id(run_id);
    response.mutable_pong();
    for (const v1::Member& member : view) *response.mutable_pong()->add_members() = member;
    Answer(std::move(response));
  }
  void Answer(absl::StatusOr<v1::ControlResponse> response) {
    auto done = std::move(calls.front().done);
    calls.pop_front();
    done(std::move(response));
  }

  std::deque<Asked> calls;
  std::vector<std::string> forgotten;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_MEMBERSHIP_MEMBERSHIP_FAKES_H_
