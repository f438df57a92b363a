#include "tests/reproduction/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace starling {
namespace {

constexpr double kWidth = 760, kHeight = 420;
constexpr double kLeft = 74, kRight = 230, kTop = 40, kBottom = 54;
// Distinct also for eyes that do not see red and green (Okabe and Ito).
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000", "#999933"};
constexpr const char* kDashes[] = {"", "7 3", "2 3"};

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// One axis: from values to positions.
class Axis {
 public:
  Axis(bool logarithmic, double from, double to)
      : logarithmic_(logarithmic), from_(from), to_(to) {}

  bool Shows(double value) const {
    return std::isfinite(value) && (!logarithmic_ || value > 0);
  }
  void Include(double value) {
    if (!Shows(value)) return;
    low_ = std::min(low_, Scale(value));
    high_ = std::max(high_, Scale(value));
  }
  bool empty() const { return low_ > high_; }
  void Widen() {
    const double margin = high_ > low_ ? 0.05 * (high_ - low_) : std::max(1e-6, 0.1 * std::abs(high_));
    low_ -= margin;
    high_ += margin;
  }
  double Place(double value) const {
    return from_ + (Scale(value) - low_) / (high_ - low_) * (to_ - from_);
  }
  std::vector<double> Marks() const {
    if (!logarithmic_) return AxisMarks(low_, high_, 6);
    std::vector<double> marks;
    const double step = std::max(1.0, std::ceil((high_ - low_) / 7));
    for (double power = std::ceil(low_); power <= high_; power += step) {
      marks.push_back(std::pow(10, power));
    }
    if (marks.size() >= 2) return marks;
    marks.clear();
    for (const double mark : AxisMarks(std::pow(10, low_), std::pow(10, high_), 5)) {
      if (mark > 0) marks.push_back(mark);
    }
    return marks;
  }

 private:
  double Scale(double value) const { return logarithmic_ ? std::log10(value) : value; }

  const bool logarithmic_;
  const double from_, to_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

std::string Text(double x, double y, const char* anchor, const std::string& text,
                 const std::string& more = "") {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>\n", x, y, anchor,
                         more, Escape(text));
}

std::string Line(double x1, double y1, double x2, double y2, const std::string& colour) {
  return absl::StrFormat(
      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2,
      colour);
}

std::string Axes(const Axis& x, const Axis& y) {
  std::string svg;
  for (const double mark : x.Marks()) {
    absl::StrAppend(&svg, Line(x.Place(mark), kTop, x.Place(mark), kHeight - kBottom, "#e4e4e4"),
                    Text(x.Place(mark), kHeight - kBottom + 16, "middle",
                         absl::StrFormat("%.4g", mark)));
  }
  for (const double mark : y.Marks()) {
    absl::StrAppend(&svg, Line(kLeft, y.Place(mark), kWidth - kRight, y.Place(mark), "#e4e4e4"),
                    Text(kLeft - 6, y.Place(mark) + 4, "end", absl::StrFormat("%.4g", mark)));
  }
  absl::StrAppend(&svg, Line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "black"),
                  Line(kLeft, kTop, kLeft, kHeight - kBottom, "black"));
  return svg;
}

std::string Drawn(const PlotLine& line, const Axis& x, const Axis& y, size_t number) {
  const char* const colour = kColours[number % std::size(kColours)];
  const char* const dash = kDashes[number / std::size(kColours) % std::size(kDashes)];
  std::string path, marks;
  for (const PlotPoint& point : line.points) {
    if (!x.Shows(point.x) || !y.Shows(point.y)) continue;
    const double across = x.Place(point.x), up = y.Place(point.y);
    absl::StrAppendFormat(&path, "%s%.1f,%.1f", path.empty() ? "" : " ", across, up);
    absl::StrAppendFormat(&marks, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>\n", across,
                          up, colour);
    if (point.deviation > 0 && y.Shows(point.y - point.deviation)) {
      absl::StrAppend(&marks, Line(across, y.Place(point.y - point.deviation), across,
                                   y.Place(point.y + point.deviation), colour));
    }
  }
  const double legend = kTop + 8 + 17 * static_cast<double>(number);
  return absl::StrCat(
      absl::StrFormat("<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" "
                      "stroke-dasharray=\"%s\"/>\n",
                      path, colour, dash),
      marks,
      absl::StrFormat("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                      "stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n",
                      kWidth - kRight + 12, legend, kWidth - kRight + 34, legend, colour, dash),
      Text(kWidth - kRight + 40, legend + 4, "start", line.name));
}

}  // namespace

std::vector<double> AxisMarks(double low, double high, int wanted) {
  if (!(high > low) || wanted < 1) return {};
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> marks;
  const double last = std::floor(high / step + 1e-9);
  for (double k = std::ceil(low / step - 1e-9); k <= last; ++k) {
    marks.push_back(k == 0 ? 0 : k * step);
  }
  return marks;
}

std::string RenderSvg(const LinePlot& plot) {
  Axis x(plot.log_x, kLeft, kWidth - kRight);
  Axis y(plot.log_y, kHeight - kBottom, kTop);
  for (const PlotLine& line : plot.lines) {
    for (const PlotPoint& point : line.points) {
      if (!x.Shows(point.x) || !y.Shows(point.y)) continue;
      x.Include(point.x);
      y.Include(point.y - point.deviation);
      y.Include(point.y);
      y.Include(point.y + point.deviation);
    }
  }
  const double height = std::max(kHeight, kTop + 24 + 17 * static_cast<double>(plot.lines.size()));
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
      "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      kWidth, height, kWidth, height);
  absl::StrAppend(&svg, Text(kLeft, 22, "start", plot.title, " font-size=\"14\""));
  if (x.empty() || y.empty()) {
    return absl::StrCat(svg, Text(kLeft, kTop + 20, "start", "no data"), "</svg>\n");
  }
  x.Widen();
  y.Widen();
  absl::StrAppend(&svg, Axes(x, y));
  for (size_t i = 0; i < plot.lines.size(); ++i) {
    absl::StrAppend(&svg, Drawn(plot.lines[i], x, y, i));
  }
  const double middle = (kTop + kHeight - kBottom) / 2;
  absl::StrAppend(&svg, Text((kLeft + kWidth - kRight) / 2, kHeight - 14, "middle", plot.x_label),
                  Text(18, middle, "middle", plot.y_label,
                       absl::StrFormat(" transform=\"rotate(-90 18 %.1f)\"", middle)),
                  "</svg>\n");
  return svg;
}

}  // namespace starling
