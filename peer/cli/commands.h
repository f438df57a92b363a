// The commands of the program, a function each, defined in the file of its name. They belong to
// main.cc's table and to tests.

#ifndef STARLING_PEER_CLI_COMMANDS_H_
#define STARLING_PEER_CLI_COMMANDS_H_

#include <vector>

#include "peer/cli/command.h"

namespace starling {

Command DemoCommand();        // demo_command.cc
Command ChaosCommand();       // chaos_command.cc
Command AlgorithmsCommand();  // algorithms_command.cc
Command StatusCommand();      // status_command.cc
Command PeersCommand();       // peers_command.cc
Command TopCommand();         // top_command.cc
Command LeaveCommand();       // leave_command.cc
Command LimitCommand();       // limit_command.cc
Command DoctorCommand();      // doctor_command.cc
Command EvaluateCommand();    // evaluate_command.cc

}  // namespace starling

#endif  // STARLING_PEER_CLI_COMMANDS_H_
