#include "tests/integration/daemon.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

std::string Runfile(const std::string& path) {
  const char* root = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (root == nullptr || workspace == nullptr) return absl::StrCat("bazel-bin/", path);
  return absl::StrCat(root, "/", workspace, "/", path);
}

}  // namespace

Daemon::Daemon(const std::string& program, const std::vector<std::string>& arguments,
               const std::vector<std::string>& wrapper) {
  const std::string path = Runfile(program);
  std::vector<char*> argv;
  for (const std::string& word : wrapper) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(const_cast<char*>(path.c_str()));
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  reader_ = std::thread([this, fd = ends[0]] { ReadLog(fd); });
}

Daemon::~Daemon() {
  Signal(SIGKILL);
  Wait();
  reader_.join();
  close(pidfd_);
  if (testing::Test::HasFailure()) {
    std::fprintf(stderr, "--- log of process %d ---\n%s\n", pid_, log().c_str());
  }
}

void Daemon::ReadLog(int fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    absl::MutexLock lock(&mutex_);
    if (got <= 0) {
      log_closed_ = true;
      break;
    }
    log_.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
}

std::string Daemon::log() {
  absl::MutexLock lock(&mutex_);
  return log_;
}

bool Daemon::LogHas(const std::string& text, absl::Duration patience) {
  auto found = [&] {
    mutex_.AssertHeld();
    return log_closed_ || log_.find(text) != std::string::npos;
  };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&found), patience);
  return log_.find(text) != std::string::npos;
}

std::string Daemon::address() {
  static constexpr char kMark[] = "listens on ";
  if (!LogHas(kMark)) {
    ADD_FAILURE() << "the daemon never said where it listens:\n" << log();
    return "";
  }
  auto whole_line = [&] {
    mutex_.AssertHeld();
    return log_.find('\n', log_.find(kMark)) != std::string::npos;
  };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&whole_line), kPatience);
  const size_t begin = log_.find(kMark) + sizeof(kMark) - 1;
  return log_.substr(begin, log_.find_first_of(" \n", begin) - begin);
}

void Daemon::Signal(int number) {
  if (!ended_) kill(pid_, number);
}

int Daemon::Wait(absl::Duration patience) {
  if (ended_) return end_;
  pollfd poller = {pidfd_, POLLIN, 0};
  if (poll(&poller, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) <= 0) return -1;
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = true;
  end_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return end_;
}

std::unique_ptr<v1::StatusService::Stub> StatusStub(const std::string& address) {
  return v1::StatusService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

bool WatchUntil(const std::string& address, const std::function<bool(const v1::Status&)>& wanted,
                v1::Status* last, absl::Duration patience) {
  auto stub = StatusStub(address);
  const auto deadline = absl::ToChronoTime(absl::Now() + patience);
  v1::WatchStatusRequest request;
  request.set_interval_ms(100);
  v1::Status status;
  bool happened = false;
  grpc::Status end;
  do {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(deadline);
    auto reader = stub->WatchStatus(&context, request);
    while (!happened && reader->Read(&status)) happened = wanted(status);
    if (happened) context.TryCancel();
    end = reader->Finish();
    // Whoever watched before may have left without the daemon having noticed yet.
  } while (!happened && end.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  if (!happened) {
    std::cerr << "watch of " << address << " ended with " << end.error_code() << " "
              << end.error_message() << "\n";
  }
  if (last != nullptr) *last = status;
  return happened;
}

v1::Status StatusOf(const std::string& address) {
  v1::Status status;
  EXPECT_TRUE(WatchUntil(address, [](const v1::Status&) { return true; }, &status))
      << "no status from " << address;
  return status;
}

std::unique_ptr<Daemon> StartCoordinator(std::vector<std::string> flags,
                                         const std::vector<std::string>& wrapper) {
  flags.insert(flags.begin(), {"--listen=127.0.0.1:0", "--preset=fast"});
  return std::make_unique<Daemon>("coordinator/coordinatord", flags, wrapper);
}

std::unique_ptr<Daemon> StartPeer(std::vector<std::string> flags,
                                  const std::vector<std::string>& wrapper) {
  flags.insert(flags.begin(), {"--listen=127.0.0.1:0", "--preset=fast"});
  return std::make_unique<Daemon>("peer/peerd", flags, wrapper);
}

v1::PeerState StateSeenBy(const v1::Status& observer, const std::string& peer_id) {
  for (const v1::PeerStatus& peer : observer.peers()) {
    if (peer.peer_id() == peer_id) return peer.state();
  }
  return v1::PEER_STATE_UNSPECIFIED;
}

}  // namespace starling
