#include "peer/runtime/stderr_log.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "google/protobuf/stubs/logging.h"
#include "spdlog/sinks/ansicolor_sink.h"

namespace starling {
namespace {

using Stderr = spdlog::sinks::ansicolor_stderr_sink_mt;

class Sink final : public Stderr {
 public:
  void log(const spdlog::details::log_msg& message) override {
    if (!HasRoom()) {
      ++dropped_;
      return;
    }
    if (const uint64_t dropped = dropped_.exchange(0); dropped > 0) {
      const std::string text =
          fmt::format("{} earlier lines were dropped: nobody read this log", dropped);
      Stderr::log({message.time, {}, message.logger_name, spdlog::level::warn, text});
    }
    Stderr::log(message);
  }

 private:
  // A pipe has room if it takes a whole page, and no line is as long.
  static bool HasRoom() {
    pollfd poller = {STDERR_FILENO, POLLOUT, 0};
    return poll(&poller, 1, 0) != 0;
  }

  std::atomic<uint64_t> dropped_ = 0;
};

}  // namespace

std::shared_ptr<spdlog::logger> MakeStderrLogger(const std::string& name) {
  google::protobuf::SetLogHandler(nullptr);
  return std::make_shared<spdlog::logger>(name, std::make_shared<Sink>());
}

}  // namespace starling
