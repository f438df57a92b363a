// A peer's network side as transport tests use it: control executor, GrpcTransport and GrpcServer
// on a free port of the loopback, and a delegate that writes down what arrives.

#ifndef STARLING_TESTS_PEER_TRANSPORT_TRANSPORT_TEST_UTIL_H_
#define STARLING_TESTS_PEER_TRANSPORT_TRANSPORT_TEST_UTIL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "peer/runtime/asio_executor.h"
#include "peer/runtime/grpc_server.h"
#include "peer/runtime/random.h"
#include "peer/transport/grpc_transport.h"
#include "tests/common/eventually.h"

namespace starling {

// A bound for conditions that come true at once or never.
inline constexpr absl::Duration kPatience = absl::Seconds(20);

// Runs `task` on `executor` and waits for it.
inline void RunOn(Executor& executor, std::function<void()> task) {
  absl::Notification done;
  executor.Post([&] {
    task();
    done.Notify();
  });
  done.WaitForNotification();
}

inline SharedBytes Bytes(const std::vector<float>& values) {
  auto owner = std::make_shared<std::vector<float>>(values);
  const void* data = owner->data();
  return SharedBytes(std::move(owner), data, values.size() * sizeof(float));
}

// Normal, the same for the same count.
inline std::vector<float> RandomValues(size_t count) {
  Random random(count);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.Normal());
  return values;
}

// A request with these values (none: a pull).
inline Frame RequestFrame(uint64_t exchange, const std::vector<float>& values) {
  Frame frame;
  frame.header.set_kind(v1::FRAME_KIND_MIX_REQUEST);
  frame.header.set_exchange_id(exchange);
  frame.header.set_elements(values.size());
  frame.payload = values.empty() ? SharedBytes() : Bytes(values);
  return frame;
}

inline v1::ControlRequest Ping(const std::string& from) {
  v1::ControlRequest request;
  request.mutable_sender()->set_address(from);
  request.mutable_ping();
  return request;
}

class RecordingDelegate : public Transport::Delegate {
 public:
  struct Arrival {
    Frame frame;
    std::shared_ptr<ReplyPath> reply;
  };

  void OnFrame(Frame frame, std::shared_ptr<ReplyPath> reply) override {
    absl::MutexLock lock(&mutex_);
    frames_.push_back({std::move(frame), std::move(reply)});
  }
  void OnFrameRefused(const v1::ShardHeader&, v1::RefusalReason reason) override {
    absl::MutexLock lock(&mutex_);
    refused_.push_back(reason);
  }
  void OnControl(v1::ControlRequest request, ControlResponder respond) override {
    if (on_control) on_control(std::move(request), std::move(respond));
  }
  void OnPathBroken(const std::string& address, const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    broken_.emplace_back(address, status);
  }

  // Each waits until so many have arrived, and gives up (returning fewer) after kPatience.
  std::vector<Arrival> AwaitFrames(size_t count) { return Await(frames_, count); }
  std::vector<v1::RefusalReason> AwaitRefused(size_t count) { return Await(refused_, count); }
  std::vector<std::pair<std::string, absl::Status>> AwaitBroken(size_t count) {
    return Await(broken_, count);
  }

  size_t frames() { return Await(frames_, 0).size(); }

  // Set before any call can arrive.
  std::function<void(v1::ControlRequest, ControlResponder)> on_control;

 private:
  template <typename T>
  std::vector<T> Await(const std::vector<T>& list, size_t count) {
    absl::MutexLock lock(&mutex_);
    auto enough = [&list, count] { return list.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
    return list;
  }

  absl::Mutex mutex_;
  std::vector<Arrival> frames_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::RefusalReason> refused_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, absl::Status>> broken_ ABSL_GUARDED_BY(mutex_);
};

class TestNode {
 public:
  explicit TestNode(const GrpcTransportOptions& options = {},
                    const std::string& listen = "127.0.0.1:0")
      : threads("control", 1), control(threads), transport(new GrpcTransport(&control, options)) {
    RunOn(control, [this] { transport->SetDelegate(&delegate); });
    StartServer(listen);
  }

  ~TestNode() {
    StopServer();
    RunOn(control, [this] { transport.reset(); });
  }

  void StartServer(const std::string& listen) {
    GrpcServer::Options options;
    options.listen = listen;
    auto started = GrpcServer::Start(options, {transport->service()});
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
  }

  void StopServer() { server.reset(); }

  std::string address() const { return server->address(); }

  absl::Status Send(const std::string& to, Frame frame) {
    absl::Status status;
    RunOn(control, [&] { status = transport->SendFrame(to, std::move(frame)); });
    return status;
  }

  absl::StatusOr<v1::ControlResponse> Call(const std::string& to, v1::ControlRequest request,
                                           absl::Duration timeout) {
    absl::StatusOr<v1::ControlResponse> result = absl::UnknownError("not called back");
    absl::Notification done;
    control.Post([&] {
      transport->Call(to, std::move(request), timeout,
                      [&](absl::StatusOr<v1::ControlResponse> answer) {
                        EXPECT_TRUE(control.RunsHere());
                        result = std::move(answer);
                        done.Notify();
                      });
    });
    done.WaitForNotificationWithTimeout(kPatience);
    return result;
  }

  AsioThreads threads;
  AsioExecutor control;
  RecordingDelegate delegate;
  std::unique_ptr<GrpcTransport> transport;
  std::unique_ptr<GrpcServer> server;
};

}  // namespace starling

#endif  // STARLING_TESTS_PEER_TRANSPORT_TRANSPORT_TEST_UTIL_H_
