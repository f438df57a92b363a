// How step length and batch follow the number of workers, for algorithms that average gradients: their
// global batch changes when workers come and go (Dynamic Mini-batch SGD, arXiv 1904.12043). Algorithms
// that average parameters need nothing of the kind.
//
//   scale rate   the batch of a worker stays, the global batch grows with n, and the step length goes
//                in a straight line of `ramp` steps from where it is to n / reference: momentum still
//                holds the noise of the old batch, so a jump would hurt
//   share batch  the global batch stays and is shared out among the workers; the step length stays
//
// Pure: (step, workers) in, (scale, batch) out. Owned by the TrainingActor.

#ifndef STARLING_PEER_GOSSIP_ELASTIC_CONTROLLER_H_
#define STARLING_PEER_GOSSIP_ELASTIC_CONTROLLER_H_

#include <cstddef>
#include <cstdint>

namespace starling {

struct ElasticOptions {
  enum class Strategy { kNone, kScaleRate, kShareBatch };
  Strategy strategy = Strategy::kNone;
  // Steps that a change of the step length takes. Up: smoother; down: the new batch is used sooner.
  uint64_t ramp = 100;
};

class ElasticController {
 public:
  // `reference_workers` >= 1 is the number that learning rate and batch size were chosen for.
  ElasticController(const ElasticOptions& options, size_t reference_workers)
      : options_(options), reference_(reference_workers), workers_(reference_workers) {}

  // From `step` on there are so many workers, >= 1.
  void OnWorkers(uint64_t step, size_t workers);

  // Factor of the learning rate at `step`, which never goes back.
  double RateScale(uint64_t step) const;

  // Batch of the worker at position `rank` < workers, out of `batch` * reference in all: the parts of
  // all workers add up exactly. At least 1. `batch` itself unless the strategy shares batches.
  size_t BatchOf(size_t rank, size_t batch) const;

  size_t workers() const { return workers_; }

 private:
  const ElasticOptions options_;
  const size_t reference_;
  size_t workers_;
  double from_ = 1;
  uint64_t changed_ = 0;
};

}  // namespace starling

#endif  // STARLING_PEER_GOSSIP_ELASTIC_CONTROLLER_H_
