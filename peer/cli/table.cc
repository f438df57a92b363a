#include "peer/cli/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "peer/cli/ansi.h"

namespace starling {
namespace {

std::string Padded(const std::string& cell, int width, Align align) {
  const std::string blanks(std::max(0, width - VisibleWidth(cell)), ' ');
  return align == Align::kLeft ? absl::StrCat(cell, blanks) : absl::StrCat(blanks, cell);
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::string> Table::Lines() const {
  std::vector<std::string> titles;
  std::vector<int> widths;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    widths.push_back(VisibleWidth(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], VisibleWidth(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : "  ", Padded(cells[i], widths[i], columns_[i].align));
    }
    absl::StripTrailingAsciiWhitespace(&text);
    return text;
  };
  std::vector<std::string> lines = {line(titles)};
  for (const auto& row : rows_) lines.push_back(line(row));
  return lines;
}

std::string Table::ToString() const {
  std::string text;
  for (const std::string& line : Lines()) absl::StrAppend(&text, line, "\n");
  return text;
}

}  // namespace starling
