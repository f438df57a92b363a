#include "peer/cli/demo_options.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

constexpr int kMostPeers = 64;
constexpr char kListen[] = "--listen=127.0.0.1:0";
// Short leases and timeouts, for daemons that share one machine and an impatient reader.
constexpr char kPreset[] = "--preset=fast";

// A churning run should last about this long, on the data set below.
constexpr double kChurnSeconds = 25;
constexpr double kTypicalExamples = 60000;
constexpr double kTypicalBatch = 32;

absl::Status OutOfRange(absl::string_view flag, double value, absl::string_view range) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", value, " is out of range; it takes ", range));
}

bool IsNumberFrom(double value, double least) { return std::isfinite(value) && value >= least; }

}  // namespace

absl::Status DemoOptions::Validate() const {
  if (peers < 1 || peers > kMostPeers) {
    return OutOfRange("peers", peers, absl::StrCat("1 to ", kMostPeers));
  }
  if (churn && peers < 2) {
    return absl::InvalidArgumentError("--churn kills a peer, so it takes --peers=2 or more");
  }
  if (!IsNumberFrom(epochs, 0) || epochs == 0) {
    return OutOfRange("epochs", epochs, "a number above 0");
  }
  if (seed == 0) return OutOfRange("seed", 0, "1 or more");
  if (!IsNumberFrom(decay_share, 0) || decay_share > 1) {
    return OutOfRange("decay_share", decay_share, "a number from 0 to 1");
  }
  if (!IsNumberFrom(learning_rate, 0)) {
    return OutOfRange("learning_rate", learning_rate, "a number above 0, or 0 for the default");
  }
  if (batch_size < 0) {
    return OutOfRange("batch_size", batch_size, "1 or more, or 0 for the default");
  }
  if (!IsNumberFrom(dirichlet_alpha, 0)) {
    return OutOfRange("dirichlet_alpha", dirichlet_alpha,
                      "a number above 0, or 0 for an even split");
  }
  if (averaging_period < 0) {
    return OutOfRange("averaging_period", averaging_period, "1 or more steps, or 0 for never");
  }
  if (!std::isfinite(pace)) {
    return OutOfRange("pace", pace, "steps per second, 0 for no limit, or -1 for the default");
  }
  if (timeout <= absl::ZeroDuration() || timeout > absl::Hours(24)) {
    return absl::InvalidArgumentError(absl::StrCat("--timeout=", absl::FormatDuration(timeout),
                                                   " is out of range; it takes up to 24h"));
  }
  return absl::OkStatus();
}

double EffectivePace(const DemoOptions& options) {
  if (options.pace >= 0) return options.pace;
  if (!options.churn) return 0;
  const double batch = options.batch_size > 0 ? options.batch_size : kTypicalBatch;
  return kTypicalExamples / options.peers / batch * options.epochs / kChurnSeconds;
}

std::vector<std::string> CoordinatorArguments(const DemoOptions& options,
                                              absl::string_view address_file) {
  std::vector<std::string> arguments = {
      kListen,
      kPreset,
      absl::StrCat("--address_file=", address_file),
      absl::StrCat("--model=", options.model),
      absl::StrCat("--data=", options.data),
      absl::StrCat("--algorithm=", options.algorithm),
      absl::StrCat("--epochs=", options.epochs),
      absl::StrCat("--seed=", options.seed),
      absl::StrCat("--min_peers=", options.peers + (options.centre ? 1 : 0)),
      absl::StrCat("--parts=", options.peers),
  };
  const auto add_if = [&](bool wanted, std::string argument) {
    if (wanted) arguments.push_back(std::move(argument));
  };
  add_if(!options.optimizer.empty(), absl::StrCat("--optimizer=", options.optimizer));
  add_if(options.learning_rate > 0, absl::StrCat("--learning_rate=", options.learning_rate));
  add_if(options.decay_share > 0, absl::StrCat("--decay_share=", options.decay_share));
  add_if(options.batch_size > 0, absl::StrCat("--batch_size=", options.batch_size));
  add_if(options.dirichlet_alpha > 0, absl::StrCat("--dirichlet_alpha=", options.dirichlet_alpha));
  add_if(options.averaging_period > 0,
         absl::StrCat("--averaging_period=", options.averaging_period));
  add_if(options.final_merge, "--final_merge");
  return arguments;
}

std::vector<std::string> PeerArguments(const DemoOptions& options, absl::string_view name,
                                       bool centre, absl::string_view coordinator,
                                       absl::string_view address_file) {
  std::vector<std::string> arguments = {
      kListen,
      kPreset,
      absl::StrCat("--address_file=", address_file),
      absl::StrCat("--coordinator=", coordinator),
      absl::StrCat("--name=", name),
      absl::StrCat("--request_codec=", options.request_codec),
      absl::StrCat("--reply_codec=", options.reply_codec),
  };
  // Where files are is each machine's own business, so it does not come with the run.
  if (!options.data_dir.empty()) {
    arguments.push_back(absl::StrCat("--data_dir=", options.data_dir));
  }
  if (centre) arguments.push_back("--centre");
  if (const double pace = EffectivePace(options); pace > 0) {
    arguments.push_back(absl::StrCat("--max_steps_per_second=", pace));
  }
  return arguments;
}

}  // namespace starling
