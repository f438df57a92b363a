// A control group for one daemon and whom it shares a container with: less memory, less of a processor. Both the
// old hierarchies of the kernel (one for each controller) and the unified one will do, as the machine has it.

#ifndef STARLING_TESTS_CHAOS_CONTROL_GROUP_H_
#define STARLING_TESTS_CHAOS_CONTROL_GROUP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace starling {

class ControlGroup {
 public:
  // `controller`: "memory" or "cpu". UNAVAILABLE: this machine does not let us; says why. Also below.
  static absl::StatusOr<std::unique_ptr<ControlGroup>> Create(const std::string& controller);
  // Whoever is in it has ended by then.
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  // For Daemon: it becomes a member before it starts.
  std::vector<std::string> wrapper() const;
  // Bytes that its members take now, and may take; beyond that one of them is killed.
  uint64_t memory() const;
  absl::Status LimitMemory(uint64_t bytes);
  // How many of them were killed for that.
  uint64_t killed() const;
  // Of one processor.
  absl::Status LimitCpu(double share);

 private:
  ControlGroup(std::string path, bool unified);

  absl::Status Write(const std::string& file, const std::string& value) const;

  const std::string path_;
  const bool unified_;
};

}  // namespace starling

#endif  // STARLING_TESTS_CHAOS_CONTROL_GROUP_H_
