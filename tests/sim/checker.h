// Looks on while a swarm runs and complains when something that must always hold does not.
//
// A checker configures itself from the simulation's options and judges only what it can: each says
// when it applies.

#ifndef STARLING_TESTS_SIM_CHECKER_H_
#define STARLING_TESTS_SIM_CHECKER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace starling {

class Simulation;

class Checker {
 public:
  virtual ~Checker() = default;

  virtual absl::string_view name() const = 0;
  // Called between two events, every SimulationOptions::look_every.
  virtual void Look(const Simulation& simulation) = 0;

  // The first few; the later ones mostly follow from them.
  const std::vector<std::string>& complaints() const { return complaints_; }

 protected:
  void Complain(std::string complaint) {
    constexpr size_t kKept = 5;
    if (complaints_.size() < kKept) complaints_.push_back(std::move(complaint));
  }

 private:
  std::vector<std::string> complaints_;
};

}  // namespace starling

#endif  // STARLING_TESTS_SIM_CHECKER_H_
