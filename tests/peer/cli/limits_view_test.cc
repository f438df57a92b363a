#include "peer/cli/limits_view.h"

#include "gtest/gtest.h"

namespace starling {
namespace {

TEST(LimitsViewTest, WithoutLimitsOnlyTheDayIsTold) {
  v1::BudgetStatus budget;
  budget.set_sent_last_day(1'300'000'000);
  EXPECT_EQ(RenderLimits(budget),
            "send:      no limit; 1.3 GB in the last 24 h\n"
            "receive:   no limit; 0 B in the last 24 h\n");
}

TEST(LimitsViewTest, WhatLimitsCostIsToldWithTheLimitThatBinds) {
  v1::BudgetStatus budget;
  budget.mutable_limits()->set_send(500'000);
  budget.mutable_limits()->set_send_per_peer(100'000);
  budget.mutable_limits()->set_receive_per_day(2'000'000'000);
  budget.set_request_codec("bf16");
  budget.set_asked_codec("int8");
  budget.set_reason("500.0 kB/s sent in all");
  budget.set_exchanges_coarser(7);
  budget.set_exchanges_skipped(12);
  budget.set_exchanges_put_off(3);
  budget.set_exchanges_refused(2);
  budget.set_seconds_to_wait(1.44);
  EXPECT_EQ(RenderLimits(budget),
            "send:      500.0 kB/s in all, 100.0 kB/s per peer; 0 B in the last 24 h\n"
            "receive:   2.0 GB a day; 0 B in the last 24 h\n"
            "written:   requests as bf16, asks for replies as int8 (500.0 kB/s sent in all); 7 exchanges "
            "coarser\n"
            "exchanges: 12 skipped, 3 put off as the partner asked, 2 of others refused; the next in 1.4 s "
            "(500.0 kB/s sent in all)\n");
}

TEST(LimitsViewTest, WhatLimitsHaveCostIsToldAfterTheyAreGone) {
  v1::BudgetStatus budget;
  budget.set_exchanges_skipped(12);
  EXPECT_NE(RenderLimits(budget).find("12 skipped"), std::string::npos);
}

TEST(LimitsViewTest, WhatADaemonSaysCannotSteerTheTerminal) {
  v1::BudgetStatus budget;
  budget.mutable_limits()->set_send(500'000);
  budget.set_request_codec("bf\x1b[2J16");
  EXPECT_EQ(RenderLimits(budget).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace starling
