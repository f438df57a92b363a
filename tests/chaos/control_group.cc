#include "tests/chaos/control_group.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/common/from_outside.h"

namespace starling {
namespace {

constexpr char kRoot[] = "/sys/fs/cgroup/";

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// The number behind `key` in lines of "key number".
uint64_t NumberOf(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  for (uint64_t number; file >> name >> number;) {
    if (name == key) return number;
  }
  return 0;
}

}  // namespace

ControlGroup::ControlGroup(std::string path, bool unified)
    : path_(std::move(path)), unified_(unified) {}

ControlGroup::~ControlGroup() { rmdir(path_.c_str()); }

absl::StatusOr<std::unique_ptr<ControlGroup>> ControlGroup::Create(const std::string& controller) {
  const bool unified = Exists(absl::StrCat(kRoot, "cgroup.controllers"));
  const std::string above =
      unified ? std::string(kRoot) : absl::StrCat(kRoot, controller, "/");
  const std::string path = absl::StrCat(above, "starling-test-", getpid(), "-", controller);
  if (unified) std::ofstream(absl::StrCat(above, "cgroup.subtree_control")) << "+" << controller;
  if (mkdir(path.c_str(), 0755) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot make the control group ", path, ": ",
                                               std::strerror(errno), "; needs root"));
  }
  std::unique_ptr<ControlGroup> group(new ControlGroup(path, unified));
  const std::string limit = absl::StrCat(
      path, unified ? (controller == "cpu" ? "/cpu.max" : "/memory.max")
                    : (controller == "cpu" ? "/cpu.cfs_quota_us" : "/memory.limit_in_bytes"));
  if (!Exists(limit)) return absl::UnavailableError(absl::StrCat("there is no ", limit));
  return group;
}

std::vector<std::string> ControlGroup::wrapper() const {
  return {"sh", "-c", absl::StrCat("echo $$ >", path_, "/cgroup.procs && exec \"$0\" \"$@\"")};
}

absl::Status ControlGroup::Write(const std::string& file, const std::string& value) const {
  const std::string path = absl::StrCat(path_, "/", file);
  std::ofstream out(path);
  out << value << std::flush;
  if (out) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", value, " to ", path));
}

uint64_t ControlGroup::memory() const {
  const std::string text =
      Content(absl::StrCat(path_, unified_ ? "/memory.current" : "/memory.usage_in_bytes"));
  return std::strtoull(text.c_str(), nullptr, 10);
}

absl::Status ControlGroup::LimitMemory(uint64_t bytes) {
  const std::string limit = absl::StrCat(bytes);
  if (unified_) {
    // Without it the kernel swaps before it kills.
    Write("memory.swap.max", "0").IgnoreError();
    return Write("memory.max", limit);
  }
  absl::Status limited = Write("memory.limit_in_bytes", limit);
  if (limited.ok()) Write("memory.memsw.limit_in_bytes", limit).IgnoreError();
  return limited;
}

uint64_t ControlGroup::killed() const {
  return NumberOf(absl::StrCat(path_, unified_ ? "/memory.events" : "/memory.oom_control"),
                  "oom_kill");
}

absl::Status ControlGroup::LimitCpu(double share) {
  constexpr int kPeriod = 100000;  // microseconds, the kernel's own default
  const std::string quota = absl::StrCat(static_cast<int>(share * kPeriod));
  return unified_ ? Write("cpu.max", absl::StrCat(quota, " ", kPeriod))
                  : Write("cpu.cfs_quota_us", quota);
}

}  // namespace starling
