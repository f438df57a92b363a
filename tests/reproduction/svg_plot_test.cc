#include "tests/reproduction/svg_plot.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace starling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

size_t CountOf(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(SvgPlotTest, MarksAreRoundAndInside) {
  EXPECT_THAT(AxisMarks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(AxisMarks(3, 47, 4), ElementsAre(20, 40));
  EXPECT_THAT(AxisMarks(1, 1, 4), IsEmpty());
}

TEST(SvgPlotTest, DrawsEveryLineWithItsPointsBarsAndName) {
  LinePlot plot;
  plot.title = "a < b";
  plot.lines = {{"one", {{1, 1, 0}, {2, 4, 0.5}}}, {"two", {{1, 2, 0}}}};
  const std::string svg = RenderSvg(plot);
  EXPECT_EQ(svg.rfind("<svg ", 0), 0);
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
  EXPECT_EQ(CountOf(svg, "<polyline"), 2);
  EXPECT_EQ(CountOf(svg, "<circle"), 3);
  EXPECT_THAT(svg, HasSubstr(">one</text>"));
  EXPECT_THAT(svg, HasSubstr("a &lt; b"));
}

TEST(SvgPlotTest, HigherValuesAreFurtherUp) {
  LinePlot plot;
  plot.lines = {{"one", {{0, 0, 0}, {1, 1, 0}}}};
  const std::string svg = RenderSvg(plot);
  const size_t first = svg.find("cy=\"");
  const size_t second = svg.find("cy=\"", first + 1);
  EXPECT_GT(std::stod(svg.substr(first + 4)), std::stod(svg.substr(second + 4)));
}

TEST(SvgPlotTest, LeavesOutWhatCannotBeShown) {
  LinePlot plot;
  plot.log_y = true;
  plot.lines = {{"one", {{1, 0, 0}, {2, std::numeric_limits<double>::quiet_NaN(), 0}, {3, 5, 9}}}};
  const std::string svg = RenderSvg(plot);
  EXPECT_EQ(CountOf(svg, "<circle"), 1);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(RenderSvg(LinePlot()), HasSubstr("no data"));
}

}  // namespace
}  // namespace starling
