#include "peer/cli/table.h"

#include <gtest/gtest.h>

#include "peer/cli/ansi.h"

namespace starling {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({{"peer", Align::kLeft}, {"step"}});
  table.AddRow({"p0", "1234567"});
  table.AddRow({"longname", "8"});
  EXPECT_EQ(table.ToString(),
            "peer         step\n"
            "p0        1234567\n"
            "longname        8\n");
}

TEST(TableTest, LinesHaveNoBlanksAtTheirEnd) {
  Table table({{"a", Align::kLeft}, {"b", Align::kLeft}});
  table.AddRow({"x", ""});
  table.AddRow({"x", "long"});
  EXPECT_EQ(table.Lines()[1], "x");
}

TEST(TableTest, MissingCellsAreEmptyAndSurplusOnesDropped) {
  Table table({{"a", Align::kLeft}, {"b", Align::kLeft}});
  table.AddRow({"1"});
  table.AddRow({"1", "2", "3"});
  EXPECT_EQ(table.ToString(), "a  b\n1\n1  2\n");
}

TEST(TableTest, ColourDoesNotShiftColumns) {
  Table table({{"a", Align::kLeft}, {"b", Align::kLeft}});
  table.AddRow({Paint(Ink::kRed, "x", true), "y"});
  table.AddRow({"long", "y"});
  EXPECT_EQ(table.Lines()[1], "\x1b[31mx\x1b[0m     y");
}

TEST(AnsiTest, WidthCountsCharactersAndNoEscapes) {
  EXPECT_EQ(VisibleWidth("abc"), 3);
  EXPECT_EQ(VisibleWidth("\x1b[31mabc\x1b[0m"), 3);
  EXPECT_EQ(VisibleWidth("gr\xc3\xbc\xc3\x9f"), 4);
  EXPECT_EQ(VisibleWidth("\x1b["), 0);
}

TEST(AnsiTest, ClipKeepsTheEndOfTheColour) {
  EXPECT_EQ(Clip("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mabc\x1b[0m");
  EXPECT_EQ(Clip("gr\xc3\xbc\xc3\x9f", 3), "gr\xc3\xbc");
  EXPECT_EQ(Clip("abc", 10), "abc");
}

TEST(AnsiTest, WithoutColourTextStaysAsItIs) {
  EXPECT_EQ(Paint(Ink::kRed, "x", false), "x");
  EXPECT_EQ(Paint(Ink::kPlain, "x", true), "x");
}

}  // namespace
}  // namespace starling
