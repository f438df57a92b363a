// A process of the running program in another role, or of another program, for benchmarks with two ends. It
// prints its address as its first line and serves until its standard input ends, which is when this object dies.

#ifndef STARLING_TESTS_BENCH_OTHER_END_H_
#define STARLING_TESTS_BENCH_OTHER_END_H_

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace starling {

class OtherEnd {
 public:
  explicit OtherEnd(const std::vector<std::string>& flags, const char* program = "/proc/self/exe") {
    int to_child[2], from_child[2];
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) return;
    std::vector<char*> argv = {const_cast<char*>(program)};
    for (const std::string& flag : flags) argv.push_back(const_cast<char*>(flag.c_str()));
    argv.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      dup2(to_child[0], STDIN_FILENO);
      dup2(from_child[1], STDOUT_FILENO);
      execv(program, argv.data());
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    stdin_ = to_child[1];
    stdout_ = from_child[0];
    address_ = ReadLine();
  }
  ~OtherEnd() {
    close(stdin_);
    close(stdout_);
    waitpid(child_, nullptr, 0);
  }
  OtherEnd(const OtherEnd&) = delete;
  OtherEnd& operator=(const OtherEnd&) = delete;

  // Empty if it did not start.
  const std::string& address() const { return address_; }

  // Sends a byte, and returns the line that it prints for it.
  std::string Ask() { return Tell("?") ? ReadLine() : std::string(); }
  // The two halves of that, and any other text.
  bool Tell(const std::string& text) {
    return write(stdin_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  std::string ReadLine() {
    std::string line;
    char c;
    while (read(stdout_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

 private:
  pid_t child_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  std::string address_;
};

}  // namespace starling

#endif  // STARLING_TESTS_BENCH_OTHER_END_H_
