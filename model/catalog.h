// The names of models, data sets and optimizers, with a line each, free of LibTorch: for --help,
// for validating a run configuration where nothing is trained (coordinator, command line).

#ifndef STARLING_MODEL_CATALOG_H_
#define STARLING_MODEL_CATALOG_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace starling {

struct CatalogEntry {
  absl::string_view name;
  absl::string_view summary;
};

absl::Span<const CatalogEntry> ModelCatalog();
absl::Span<const CatalogEntry> DataCatalog();
absl::Span<const CatalogEntry> OptimizerCatalog();

// INVALID_ARGUMENT naming the unknown name and the nearest known one.
absl::Status ValidateModelName(absl::string_view name);
absl::Status ValidateDataName(absl::string_view name);

}  // namespace starling

#endif  // STARLING_MODEL_CATALOG_H_
