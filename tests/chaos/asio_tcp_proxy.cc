#include "tests/chaos/asio_tcp_proxy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <chrono>
#include <deque>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace starling {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr size_t kMostHeld = size_t{4} << 20;
constexpr size_t kChunk = size_t{64} << 10;

}  // namespace

// All of it but the counters lives on the proxy's thread.
class AsioTcpProxy::Impl {
 public:
  Impl(int target_port, uint64_t seed)
      : target_(asio::ip::address_v4::loopback(), static_cast<uint16_t>(target_port)),
        acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        random_(seed) {
    Accept();
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Impl() {
    context_.stop();
    thread_.join();
  }

  int port() const { return port_; }
  void Set(const TcpFaults& faults) {
    asio::post(context_, [this, faults] {
      faults_ = faults;
      ScheduleFlip();
    });
  }
  void CutAll() {
    asio::post(context_, [this] {
      for (const std::shared_ptr<Link>& link : std::vector(links_.begin(), links_.end())) Cut(link);
    });
  }

  std::atomic<uint64_t> connections = 0;
  std::atomic<uint64_t> bytes = 0;
  std::atomic<uint64_t> flips = 0;
  std::atomic<uint64_t> cuts = 0;

 private:
  struct Chunk {
    Clock::time_point due;
    std::vector<char> data;
  };

  // What flows one way.
  struct Direction {
    Direction(asio::io_context& context, tcp::socket& from, tcp::socket& to)
        : from(from), to(to), timer(context) {}
    tcp::socket& from;
    tcp::socket& to;
    asio::steady_timer timer;
    std::array<char, kChunk> buffer;
    std::deque<Chunk> held;
    size_t held_bytes = 0;
    Clock::time_point last_due;
    bool reading = false;
    bool writing = false;
    bool ended = false;  // the sender has said all it had to say
  };

  struct Link {
    explicit Link(asio::io_context& context)
        : client(context), server(context), up(context, client, server),
          down(context, server, client) {}
    tcp::socket client;
    tcp::socket server;
    Direction up;
    Direction down;
    uint64_t passed = 0;
    bool gone = false;
  };

  void Accept() {
    auto link = std::make_shared<Link>(context_);
    acceptor_.async_accept(link->client, [this, link](boost::system::error_code error) {
      if (!error) {
        ++connections;
        links_.insert(link);
        link->server.async_connect(target_, [this, link](boost::system::error_code refused) {
          if (refused) return Cut(link);
          boost::system::error_code ignored;
          link->client.set_option(tcp::no_delay(true), ignored);
          link->server.set_option(tcp::no_delay(true), ignored);
          Read(link, link->up);
          Read(link, link->down);
        });
      }
      Accept();
    });
  }

  void Read(const std::shared_ptr<Link>& link, Direction& way) {
    if (link->gone || way.reading || way.ended || way.held_bytes >= kMostHeld) return;
    way.reading = true;
    way.from.async_read_some(
        asio::buffer(way.buffer), [this, link, &way](boost::system::error_code error, size_t got) {
          way.reading = false;
          if (link->gone) return;
          if (error == asio::error::eof) {
            way.ended = true;
            return Write(link, way);
          }
          if (error) return Cut(link);
          Hold(way, got);
          link->passed += got;
          if (faults_.cut_after > 0 && link->passed >= faults_.cut_after) {
            ++cuts;
            return Cut(link);
          }
          Write(link, way);
          Read(link, way);
        });
  }

  void Hold(Direction& way, size_t size) {
    Chunk chunk;
    chunk.data.assign(way.buffer.begin(), way.buffer.begin() + size);
    Flip(chunk.data);
    auto late = absl::ToChronoMicroseconds(faults_.delay);
    if (faults_.jitter > absl::ZeroDuration()) {
      late += absl::ToChronoMicroseconds(faults_.jitter *
                                         std::uniform_real_distribution<double>()(random_));
    }
    // Never before what went ahead of it.
    way.last_due = std::max(way.last_due, Clock::now() + late);
    chunk.due = way.last_due;
    way.held_bytes += size;
    way.held.push_back(std::move(chunk));
  }

  void Flip(std::vector<char>& data) {
    if (faults_.bytes_per_flip == 0) return;
    size_t at = 0;
    while (until_flip_ < data.size() - at) {
      at += until_flip_;
      data[at] = static_cast<char>(data[at] ^ (1 << (random_() % 8)));
      ++flips;
      ScheduleFlip();
    }
    until_flip_ -= data.size() - at;
  }

  void ScheduleFlip() {
    if (faults_.bytes_per_flip == 0) return;
    until_flip_ = 1 + static_cast<uint64_t>(
        std::exponential_distribution<double>(1.0 / faults_.bytes_per_flip)(random_));
  }

  void Write(const std::shared_ptr<Link>& link, Direction& way) {
    if (link->gone || way.writing) return;
    if (way.held.empty()) {
      boost::system::error_code ignored;
      if (way.ended) way.to.shutdown(tcp::socket::shutdown_send, ignored);
      if (link->up.ended && link->down.ended && link->up.held.empty() && link->down.held.empty()) {
        Cut(link);
      }
      return;
    }
    way.writing = true;
    way.timer.expires_at(way.held.front().due);
    way.timer.async_wait([this, link, &way](boost::system::error_code cancelled) {
      if (cancelled || link->gone) return;
      asio::async_write(way.to, asio::buffer(way.held.front().data),
                        [this, link, &way](boost::system::error_code error, size_t written) {
                          way.writing = false;
                          if (link->gone) return;
                          if (error) return Cut(link);
                          bytes += written;
                          way.held_bytes -= way.held.front().data.size();
                          way.held.pop_front();
                          Read(link, way);
                          Write(link, way);
                        });
    });
  }

  void Cut(const std::shared_ptr<Link>& link) {
    if (std::exchange(link->gone, true)) return;
    for (tcp::socket* socket : {&link->client, &link->server}) {
      boost::system::error_code ignored;
      // No farewell: the other side sees a reset.
      socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
    link->up.timer.cancel();
    link->down.timer.cancel();
    links_.erase(link);
  }

  asio::io_context context_;
  const tcp::endpoint target_;
  tcp::acceptor acceptor_;
  const int port_;
  std::mt19937_64 random_;
  TcpFaults faults_;
  uint64_t until_flip_ = 0;
  std::set<std::shared_ptr<Link>> links_;
  std::thread thread_;
};

AsioTcpProxy::AsioTcpProxy(int target_port, uint64_t seed)
    : impl_(std::make_unique<Impl>(target_port, seed)) {}
AsioTcpProxy::~AsioTcpProxy() = default;
int AsioTcpProxy::port() const { return impl_->port(); }
void AsioTcpProxy::Set(const TcpFaults& faults) { impl_->Set(faults); }
void AsioTcpProxy::CutAll() { impl_->CutAll(); }
uint64_t AsioTcpProxy::connections() const { return impl_->connections; }
uint64_t AsioTcpProxy::bytes() const { return impl_->bytes; }
uint64_t AsioTcpProxy::flips() const { return impl_->flips; }
uint64_t AsioTcpProxy::cuts() const { return impl_->cuts; }

}  // namespace starling
