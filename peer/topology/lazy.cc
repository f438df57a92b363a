#include "peer/topology/lazy.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace starling {
namespace {

class Lazy : public Topology {
 public:
  explicit Lazy(std::unique_ptr<const Topology> base)
      : base_(std::move(base)), name_(absl::StrCat("lazy_", base_->name())) {}

  absl::string_view name() const override { return name_; }

  Neighbours Of(const RoundPlace& place) const override {
    Neighbours neighbours = base_->Of(place);
    for (Inbound& inbound : neighbours.in) inbound.weight /= 2;
    return neighbours;
  }

  bool symmetric() const override { return base_->symmetric(); }
  bool doubly_stochastic(size_t members) const override {
    return base_->doubly_stochastic(members);
  }
  absl::Status Supports(size_t members) const override { return base_->Supports(members); }

 private:
  const std::unique_ptr<const Topology> base_;
  const std::string name_;
};

}  // namespace

std::unique_ptr<const Topology> MakeLazy(std::unique_ptr<const Topology> base) {
  return std::make_unique<Lazy>(std::move(base));
}

}  // namespace starling
