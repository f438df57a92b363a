// A line plot as SVG: axes, lines with deviation bars, a legend. Text in, text out.

#ifndef STARLING_TESTS_REPRODUCTION_SVG_PLOT_H_
#define STARLING_TESTS_REPRODUCTION_SVG_PLOT_H_

#include <string>
#include <vector>

namespace starling {

struct PlotPoint {
  double x = 0;
  double y = 0;
  double deviation = 0;  // half the height of a bar; 0: none
};

struct PlotLine {
  std::string name;
  std::vector<PlotPoint> points;  // in the order of x; those that are not finite are left out
};

struct LinePlot {
  std::string title;
  std::string x_label;
  std::string y_label;
  // Points that are not positive are then left out.
  bool log_x = false;
  bool log_y = false;
  std::vector<PlotLine> lines;
};

// A whole SVG document. Without any point: a document that says so.
std::string RenderSvg(const LinePlot& plot);

// Round places for marks on a linear axis from `low` to `high`, about `wanted` of them, all inside.
std::vector<double> AxisMarks(double low, double high, int wanted);

}  // namespace starling

#endif  // STARLING_TESTS_REPRODUCTION_SVG_PLOT_H_
