#include "peer/gossip/workers.h"

#include <algorithm>
#include <iterator>

namespace starling {

std::vector<Candidate> OtherWorkers(const Selection& selection) {
  std::vector<Candidate> workers;
  std::copy_if(selection.others.begin(), selection.others.end(), std::back_inserter(workers),
               [](const Candidate& other) { return !other.centre; });
  return workers;
}

std::vector<Candidate> WorkersWithSelf(const Selection& selection) {
  std::vector<Candidate> workers = OtherWorkers(selection);
  if (selection.self.centre) return workers;
  const auto place = std::find_if(workers.begin(), workers.end(), [&](const Candidate& other) {
    return selection.self.id < other.id;
  });
  workers.insert(place, selection.self);
  return workers;
}

absl::optional<Choice> UniformChoice(const Selection& selection, Random& random) {
  const std::vector<Candidate> workers = OtherWorkers(selection);
  if (workers.empty()) return absl::nullopt;
  return Choice{workers[random.UniformInt(workers.size())].id};
}

}  // namespace starling
