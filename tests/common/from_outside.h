// What a test can see of files and of processes that are not its own.

#ifndef STARLING_TESTS_COMMON_FROM_OUTSIDE_H_
#define STARLING_TESTS_COMMON_FROM_OUTSIDE_H_

#include <signal.h>
#include <sys/types.h>

#include <fstream>
#include <sstream>
#include <string>

namespace starling {

// Of a file; empty if there is none.
inline std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Orphans are reaped by process 1, or stay zombies where that does not care.
inline bool IsGone(pid_t pid) {
  if (kill(pid, 0) != 0) return true;
  const std::string stat = Content("/proc/" + std::to_string(pid) + "/stat");
  const size_t state = stat.rfind(')');
  return stat.empty() || (state != std::string::npos && stat[state + 2] == 'Z');
}

}  // namespace starling

#endif  // STARLING_TESTS_COMMON_FROM_OUTSIDE_H_
