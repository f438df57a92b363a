// What experiments are written with.

#ifndef STARLING_TESTS_REPRODUCTION_SETTINGS_H_
#define STARLING_TESTS_REPRODUCTION_SETTINGS_H_

#include <string>

#include "proto/run.pb.h"
#include "tests/reproduction/experiment.h"

namespace starling {

inline v1::OptimizerConfig OptimizerOf(const std::string& name, double rate, double momentum = 0) {
  v1::OptimizerConfig config;
  config.set_name(name);
  config.set_learning_rate(rate);
  config.set_momentum(momentum);
  return config;
}

inline v1::OptimizerConfig Sgd(double rate) { return OptimizerOf("sgd", rate); }
inline v1::OptimizerConfig Nesterov(double rate, double momentum) {
  return OptimizerOf("nesterov", rate, momentum);
}

// Accuracies in percent.
inline Column Percent(const std::string& metric, const std::string& heading) {
  return {metric, heading + " %", 2, 100};
}
inline Column OwnAccuracy() { return Percent("own_accuracy", "own model"); }
inline Column LowestAccuracy() { return Percent("own_accuracy_min", "lowest own"); }
inline Column AverageAccuracy() { return Percent("average_accuracy", "averaged model"); }
inline Column Consensus() { return {"consensus", "distance from the average", 3}; }
inline Column Megabytes() { return {"megabytes", "MB sent per worker", 1}; }
inline Column Seconds() { return {"seconds", "virtual s", 1}; }
inline Column AverageLoss() { return {"average_loss", "loss of the average", 4}; }

// 1 Gbit/s up and down, half a millisecond to one of delay.
inline SimNetworkOptions Lan() {
  SimNetworkOptions network;
  network.bandwidth = {125e6, 125e6};
  return network;
}

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_SETTINGS_H_
