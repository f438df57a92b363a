// A table of text in columns as wide as their widest cell, two blanks apart, plain ASCII: titles,
// then rows, no ruled lines. Cells may hold colour (ansi.h). Not thread-safe.

#ifndef STARLING_PEER_CLI_TABLE_H_
#define STARLING_PEER_CLI_TABLE_H_

#include <string>
#include <vector>

namespace starling {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kRight;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // Cells left out are empty; cells beyond the last column are dropped.
  void AddRow(std::vector<std::string> cells);

  // The titles and the rows, without line ends and without blanks at the end of a line.
  std::vector<std::string> Lines() const;

  // The same, each line ended by '\n'.
  std::string ToString() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace starling

#endif  // STARLING_PEER_CLI_TABLE_H_
