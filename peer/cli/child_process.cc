#include "peer/cli/child_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace starling {
namespace {

// Runs between fork and exec, where only async-signal-safe calls are allowed: everything it needs
// was allocated before. Writes errno to `report` if the program cannot be executed.
[[noreturn]] void BecomeProgram(char* const* argv, int log, int report, int network,
                                pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before the line above took effect.
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  const bool placed = network < 0 || setns(network, CLONE_NEWNET) == 0;
  if (placed && null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
      dup2(log, STDERR_FILENO) >= 0) {
    // `report` closes itself at exec; nothing else of ours is the child's business.
    if (report > 3) close_range(3, report - 1, 0);
    close_range(report + 1, ~0U, 0);
    execv(argv[0], argv);
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(report, &error, sizeof(error));
  _exit(127);
}

absl::Status SystemError(int error, const std::string& what) {
  const std::string message = absl::StrCat(what, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR: return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOEXEC: return absl::PermissionDeniedError(message);
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE: return absl::ResourceExhaustedError(message);
    default: return absl::UnknownError(message);
  }
}

ProcessEnd EndFrom(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {.signal = WTERMSIG(wait_status)};
  return {.code = WEXITSTATUS(wait_status)};
}

// Closes a file descriptor at the end of the scope.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

}  // namespace

std::string ProcessEnd::ToString() const {
  if (signal != 0) return absl::StrCat("signal ", signal, " (", strsignal(signal), ")");
  return absl::StrCat("exit code ", code);
}

absl::StatusOr<ChildProcess> ChildProcess::Spawn(const Options& options) {
  FileDescriptor log(
      open(options.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.get() < 0) return SystemError(errno, absl::StrCat("cannot write ", options.log_path));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError(errno, "cannot make a pipe");
  FileDescriptor outcome(ends[0]);
  FileDescriptor report(ends[1]);

  std::vector<std::string> words = {options.program};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError(errno, absl::StrCat("cannot start ", options.program));
  if (pid == 0) {
    BecomeProgram(argv.data(), log.get(), report.get(), options.network_namespace, parent);
  }
  // Parent and child both do it, so that the group exists whoever comes first.
  setpgid(pid, pid);
  report.Close();

  ChildProcess child(pid);
  int error = 0;
  ssize_t got;
  do {
    got = read(outcome.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got == sizeof(error)) {
    child.Kill();
    return SystemError(error, absl::StrCat("cannot execute ", options.program));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), end_(std::exchange(other.end_, std::nullopt)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    Kill();
    pid_ = std::exchange(other.pid_, -1);
    end_ = std::exchange(other.end_, std::nullopt);
  }
  return *this;
}

ChildProcess::~ChildProcess() { Kill(); }

std::optional<ProcessEnd> ChildProcess::Poll() {
  if (pid_ < 0) return ProcessEnd{};
  if (end_.has_value()) return end_;
  siginfo_t info = {};
  if (waitid(P_PID, pid_, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_) Kill();
  return end_;
}

void ChildProcess::Signal(int number) {
  if (running()) kill(-pid_, number);
}

ProcessEnd ChildProcess::Kill() {
  if (pid_ < 0) return ProcessEnd{};
  if (!end_.has_value()) {
    // Until it is waited for, the process keeps its number, and the group cannot be another's.
    // For one that has ended already, this kills what it left behind in its group.
    kill(-pid_, SIGKILL);
    int status = 0;
    pid_t waited;
    do {
      waited = waitpid(pid_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    end_ = EndFrom(status);
  }
  return *end_;
}

std::vector<bool> StopProcesses(const std::vector<ChildProcess*>& processes, absl::Duration grace,
                                const std::function<bool()>& hurry) {
  constexpr absl::Duration kPoll = absl::Milliseconds(10);
  for (ChildProcess* process : processes) process->Signal(SIGTERM);
  const absl::Time end = absl::Now() + grace;
  const auto any_runs = [&] {
    return std::any_of(processes.begin(), processes.end(),
                       [](ChildProcess* process) { return process->running(); });
  };
  while (any_runs() && absl::Now() < end && !hurry()) absl::SleepFor(kPoll);
  std::vector<bool> killed;
  for (ChildProcess* process : processes) {
    killed.push_back(process->running());
    process->Kill();
  }
  return killed;
}

}  // namespace starling
