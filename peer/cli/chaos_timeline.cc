#include "peer/cli/chaos_timeline.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace starling {
namespace {

// Above its normal level by less than this, the consensus distance is normal: it is an estimate
// from the last few exchanges.
constexpr double kNormalDistance = 1.25;

bool IsSuspected(v1::PeerState state) {
  return state == v1::PEER_STATE_SUSPECT || state == v1::PEER_STATE_DEAD;
}

bool Has(const std::vector<int>& peers, int peer) {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

const ChaosPeerSample* Answer(const ChaosSample& sample, int peer) {
  if (peer >= static_cast<int>(sample.peers.size())) return nullptr;
  return sample.peers[peer].answered ? &sample.peers[peer] : nullptr;
}

v1::PeerState Opinion(const ChaosSample& sample, int observer, int peer) {
  const ChaosPeerSample* answer = Answer(sample, observer);
  if (answer == nullptr || peer >= static_cast<int>(answer->view.size())) {
    return v1::PEER_STATE_UNSPECIFIED;
  }
  return answer->view[peer];
}

class Measurement {
 public:
  Measurement(const ChaosScene& scene, const std::vector<ChaosSample>& samples)
      : scene_(scene), samples_(samples) {}

  ChaosFigures Take() const {
    ChaosFigures figures;
    figures.next_exchange = ForAllOthers([this](int peer) { return NextExchange(peer); });
    figures.suspected = ForAllCut(IsSuspected);
    figures.dead = ForAllCut([](v1::PeerState state) { return state == v1::PEER_STATE_DEAD; });
    figures.one_view = Lasting([this](const ChaosSample& sample) { return IsOneView(sample); });
    if (const double limit = kNormalDistance * HighestBaselineDistance(); limit > 0) {
      figures.one_model = Lasting([&](const ChaosSample& sample) -> std::optional<bool> {
        const std::optional<double> distance = MeanDistance(sample);
        if (!distance) return std::nullopt;
        return *distance <= limit;
      });
    }
    if (scene_.newcomer) figures.newcomer_steps = NewcomerSteps();
    Progress(&figures);
    figures.wrongly_suspected = CountWrong(IsSuspected);
    figures.wrongly_dead =
        CountWrong([](v1::PeerState state) { return state == v1::PEER_STATE_DEAD; });
    return figures;
  }

 private:
  using OpinionTest = std::function<bool(v1::PeerState)>;

  std::optional<double> First(const std::function<bool(const ChaosSample&)>& happened) const {
    for (const ChaosSample& sample : samples_) {
      if (sample.at >= scene_.event_at && happened(sample)) return sample.at - scene_.event_at;
    }
    return std::nullopt;
  }

  // The latest of what `figure` says of each; nothing if it says nothing of one of them.
  std::optional<double> ForAllOthers(
      const std::function<std::optional<double>(int)>& figure) const {
    std::optional<double> latest;
    for (int peer : scene_.others) {
      const std::optional<double> own = figure(peer);
      if (!own) return std::nullopt;
      latest = std::max(latest.value_or(0), *own);
    }
    return latest;
  }

  std::optional<double> ForAllCut(const OpinionTest& test) const {
    std::optional<double> latest;
    for (const auto& [observer, peer] : scene_.cut) {
      const std::optional<double> own =
          First([&, observer = observer, peer = peer](const ChaosSample& sample) {
            return test(Opinion(sample, observer, peer));
          });
      if (!own) return std::nullopt;
      latest = std::max(latest.value_or(0), *own);
    }
    return latest;
  }

  // From the end of the fault until `holds` is true in a sample and false in none after it. Samples
  // of which it knows nothing prove nothing.
  std::optional<double> Lasting(
      const std::function<std::optional<bool>(const ChaosSample&)>& holds) const {
    std::optional<double> since;
    for (const ChaosSample& sample : samples_) {
      if (sample.at < scene_.ended_at) continue;
      const std::optional<bool> holds_here = holds(sample);
      if (!holds_here) continue;
      if (!*holds_here) {
        since.reset();
      } else if (!since) {
        since = sample.at - scene_.ended_at;
      }
    }
    return since;
  }

  std::optional<double> NextExchange(int peer) const {
    std::optional<uint64_t> before;
    for (const ChaosSample& sample : samples_) {
      const ChaosPeerSample* answer = Answer(sample, peer);
      if (answer == nullptr) continue;
      if (sample.at <= scene_.event_at || !before) {
        before = answer->commits;
      } else if (answer->commits > *before) {
        return sample.at - scene_.event_at;
      }
    }
    return std::nullopt;
  }

  std::optional<bool> IsOneView(const ChaosSample& sample) const {
    bool silent = false;
    for (int observer = 0; observer < scene_.peers; ++observer) {
      if (Has(scene_.gone, observer)) continue;
      const ChaosPeerSample* answer = Answer(sample, observer);
      if (answer == nullptr) {
        silent = true;
        continue;
      }
      if (scene_.coordinator_counts && !answer->coordinator_connected) return false;
      for (int peer = 0; peer < scene_.peers; ++peer) {
        const v1::PeerState state = Opinion(sample, observer, peer);
        const bool present =
            state == v1::PEER_STATE_ALIVE || state == v1::PEER_STATE_JOINING ||
            state == v1::PEER_STATE_SUSPECT;
        if (Has(scene_.gone, peer) ? present : state != v1::PEER_STATE_ALIVE) return false;
      }
    }
    if (silent) return std::nullopt;
    return true;
  }

  std::optional<double> MeanDistance(const ChaosSample& sample) const {
    double sum = 0;
    int counted = 0;
    for (int peer = 0; peer < scene_.peers; ++peer) {
      const ChaosPeerSample* answer = Answer(sample, peer);
      if (answer == nullptr || Has(scene_.gone, peer)) continue;
      sum += answer->consensus_distance;
      ++counted;
    }
    if (counted == 0) return std::nullopt;
    return sum / counted;
  }

  double HighestBaselineDistance() const {
    double highest = 0;
    for (const ChaosSample& sample : samples_) {
      if (sample.at < scene_.baseline_at || sample.at > scene_.event_at) continue;
      highest = std::max(highest, MeanDistance(sample).value_or(0));
    }
    return highest;
  }

  std::optional<double> NewcomerSteps() const {
    std::optional<uint64_t> first;
    return First([&](const ChaosSample& sample) {
      const ChaosPeerSample* answer = Answer(sample, *scene_.newcomer);
      if (answer == nullptr || !answer->training) return false;
      if (!first) first = answer->step;
      return answer->step > *first;
    });
  }

  void Progress(ChaosFigures* figures) const {
    double steps = 0;
    double seconds = 0;
    for (int peer : scene_.others) {
      std::optional<uint64_t> step;
      std::optional<std::pair<double, uint64_t>> first;
      double moved_at = 0;
      std::pair<double, uint64_t> last_before;
      for (const ChaosSample& sample : samples_) {
        const ChaosPeerSample* answer = Answer(sample, peer);
        if (sample.at < scene_.baseline_at || answer == nullptr) continue;
        const bool before = sample.at <= scene_.event_at;
        if (before) {
          if (!first) first = {sample.at, answer->step};
          last_before = {sample.at, answer->step};
        }
        if (step) {
          double& longest = before ? figures->longest_pause_before : figures->longest_pause;
          longest = std::max(longest, sample.at - moved_at);
        }
        if (!step || answer->step != *step) moved_at = sample.at;
        step = answer->step;
      }
      if (!samples_.empty() && step) {
        figures->longest_pause = std::max(figures->longest_pause, samples_.back().at - moved_at);
      }
      if (first) {
        steps += static_cast<double>(last_before.second - first->second);
        seconds += last_before.first - first->first;
      }
    }
    if (steps <= 0) return;
    figures->step_time = seconds / steps;
    const double steps_missed = std::floor(figures->longest_pause / figures->step_time);
    figures->steps_lost = std::max(0.0, steps_missed - 1);
  }

  int CountWrong(const OpinionTest& test) const {
    std::set<std::pair<int, int>> wrong;
    const std::set<std::pair<int, int>> cut(scene_.cut.begin(), scene_.cut.end());
    for (const ChaosSample& sample : samples_) {
      if (sample.at < scene_.event_at) continue;
      for (int observer : scene_.others) {
        for (int peer = 0; peer < scene_.peers; ++peer) {
          if (Has(scene_.gone, peer) || cut.count({observer, peer}) > 0) continue;
          if (test(Opinion(sample, observer, peer))) wrong.insert({observer, peer});
        }
      }
    }
    return static_cast<int>(wrong.size());
  }

  const ChaosScene& scene_;
  const std::vector<ChaosSample>& samples_;
};

}  // namespace

ChaosFigures MeasureChaos(const ChaosScene& scene, const std::vector<ChaosSample>& samples) {
  return Measurement(scene, samples).Take();
}

}  // namespace starling
