// The `starling` program: what a person types.

#include "peer/cli/command.h"
#include "peer/cli/commands.h"

int main(int argc, char** argv) {
  return starling::Dispatch(
      {starling::DemoCommand(), starling::ChaosCommand(), starling::AlgorithmsCommand(),
       starling::StatusCommand(), starling::PeersCommand(), starling::TopCommand(),
       starling::LeaveCommand(), starling::LimitCommand(), starling::DoctorCommand(),
       starling::EvaluateCommand()},
      argc, argv);
}
