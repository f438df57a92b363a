#include "peer/runtime/asio_signals.h"

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

#include "boost/asio/io_context.hpp"
#include "boost/asio/signal_set.hpp"

namespace starling {

class AsioSignals::Impl {
 public:
  explicit Impl(std::function<void(int, int)> handler)
      : handler_(std::move(handler)), signals_(context_, SIGINT, SIGTERM) {
    Wait();
    thread_ = std::thread([this] { context_.run(); });
    pthread_setname_np(thread_.native_handle(), "signals");
  }

  ~Impl() {
    context_.stop();
    thread_.join();
  }

 private:
  void Wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      handler_(signal, ++times_);
      Wait();
    });
  }

  const std::function<void(int, int)> handler_;
  int times_ = 0;
  boost::asio::io_context context_;
  boost::asio::signal_set signals_;
  std::thread thread_;
};

AsioSignals::AsioSignals(std::function<void(int, int)> handler)
    : impl_(std::make_unique<Impl>(std::move(handler))) {}
AsioSignals::~AsioSignals() = default;

}  // namespace starling
