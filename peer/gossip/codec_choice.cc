#include "peer/gossip/codec_choice.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "peer/gossip/coded_mix.h"

namespace starling {
namespace {

absl::StatusOr<std::shared_ptr<const Codec>> Parse(absl::string_view flag,
                                                   absl::string_view spec) {
  auto codec = MakeCodec(spec);
  if (codec.ok()) return codec;
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", codec.status().message()));
}

bool IsPlain(const Codec& codec) { return codec.wire() == v1::CODEC_FP32; }

}  // namespace

absl::StatusOr<CodecChoice> MakeCodecChoice(absl::string_view request, absl::string_view reply) {
  const auto request_codec = Parse("request_codec", request);
  if (!request_codec.ok()) return request_codec.status();
  const auto reply_codec = Parse("reply_codec", reply);
  if (!reply_codec.ok()) return reply_codec.status();
  if (!CarriesValues(**request_codec)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--request_codec=", request,
        ": a request carries parameters, and noise in proportion to the largest of them would keep "
        "peers apart for ever; use fp32, fp16 or bf16, and ",
        (*request_codec)->spec(), " for --reply_codec"));
  }
  return CodecChoice{*request_codec, *reply_codec};
}

absl::Status CheckCodecs(const Algorithm& algorithm, const CodecChoice& codecs) {
  if (algorithm.mix == nullptr) {
    if (IsPlain(*codecs.request) && IsPlain(*codecs.reply)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "algorithm \"", algorithm.name,
        "\" makes no exchanges between pairs, and its rounds travel as fp32; leave out "
        "--request_codec and --reply_codec"));
  }
  if (!algorithm.mix->reply_has_payload() || algorithm.mix->reply_is_difference() ||
      CarriesValues(*codecs.reply)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--reply_codec=", codecs.reply->spec(), ": the replies of algorithm \"", algorithm.name,
      "\" carry parameters, and noise in proportion to the largest of them would keep peers apart "
      "for ever; use fp32, fp16 or bf16, or an algorithm such as elastic_gossip, whose replies are "
      "differences"));
}

}  // namespace starling
