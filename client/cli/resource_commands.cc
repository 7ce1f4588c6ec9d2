// trireme resource tag-resource | untag-resource | list-tags-for-resource |
// put-resource-policy | get-resource-policy | delete-resource-policy
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cli/commands.h"
#include "client/cli/conclude.h"
#include "client/cli/tag_text.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string arn;
  std::vector<std::string> tags;  // KEY=VALUE, or KEY.
  std::string policy;
};
using Run = int (*)(Session&, client::Client&, const Options&);

int Tag(Session& session, client::Client& client, const Options& options) {
  const auto tags = ParseTags(options.tags);
  if (!tags.ok()) return session.Fail(tags.status());
  return Conclude(
      session, client.TagResource(options.arn, *tags),
      {{"ResourceARN", options.arn}, {"Tags", *tags}},
      absl::StrCat(options.arn, " has ", Counted(tags->size(), "tag"),
                   " added or changed"));
}

int Untag(Session& session, client::Client& client, const Options& options) {
  return Conclude(session, client.UntagResource(options.arn, options.tags),
                  {{"ResourceARN", options.arn}, {"TagKeys", options.tags}},
                  absl::StrCat(options.arn, " has none of these tags now"));
}

int ListTags(Session& session, client::Client& client, const Options& options) {
  const auto tags = client.ListTagsForResource(options.arn);
  if (!tags.ok()) return session.Fail(tags.status());
  PrintTags(session, *tags, Json());
  return kExitOk;
}

// The text itself, or, as AWS's command line has it, file://PATH.
absl::StatusOr<std::string> ReadPolicy(const std::string& text) {
  absl::string_view path = text;
  if (!absl::ConsumePrefix(&path, "file://")) return text;
  std::ifstream file{std::string(path), std::ios::binary};
  std::ostringstream content;
  content << file.rdbuf();
  if (file.good() && content.good()) return content.str();
  return absl::InvalidArgumentError(
      absl::StrCat("file ", path, " cannot be read, or is empty"));
}

int PutPolicy(Session& session, client::Client& client,
              const Options& options) {
  const auto policy = ReadPolicy(options.policy);
  if (!policy.ok()) return session.Fail(policy.status());
  return Conclude(session, client.PutResourcePolicy(options.arn, *policy),
                  {{"ResourceARN", options.arn}, {"Policy", *policy}},
                  absl::StrCat(options.arn, " has this policy now"));
}

int GetPolicy(Session& session, client::Client& client,
              const Options& options) {
  const auto policy = client.GetResourcePolicy(options.arn);
  return Conclude(session, policy.status(), {{"Policy", policy.value_or("")}},
                  policy.value_or(""));
}

int DeletePolicy(Session& session, client::Client& client,
                 const Options& options) {
  return Conclude(session, client.DeleteResourcePolicy(options.arn),
                  {{"ResourceARN", options.arn}},
                  absl::StrCat(options.arn, " has no policy now"));
}

}  // namespace

void AddResourceCommands(CLI::App& app, Session& session) {
  constexpr char kArn[] =
      "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
  CLI::App* const resource = app.add_subcommand(
      "resource",
      "tags and policies of what has an ARN: streams and consumers");
  resource->require_subcommand(1);
  resource->footer(absl::StrCat(
      "\nExamples:\n  trireme resource list-tags-for-resource ", kArn, "\n"));
  const auto options = std::make_shared<Options>();
  const auto add = [&, options](const std::string& name,
                                const std::string& help,
                                const std::string& example, Run run) {
    CLI::App* const added = resource->add_subcommand(name, help);
    added->footer(absl::StrCat("\nExamples:\n  trireme resource ", name, " ",
                               kArn, example, "\n"));
    added->add_option("ARN", options->arn, "its ARN")->required();
    RunWithClient(*added, session,
                  [&session, options, run](client::Client& client) {
                    return run(session, client, *options);
                  });
    return added;
  };
  AddTagsOption(*add("tag-resource", "add tags, or change their values",
                     " team=billing env=prod", Tag),
                "KEY=VALUE", options->tags, "tags; up to 50 of a resource")
      ->required();
  add("untag-resource", "remove tags", " team env", Untag)
      ->add_option("KEY", options->tags, "their keys")
      ->required();
  add("list-tags-for-resource", "list its tags", "", ListTags);
  add("put-resource-policy", "set its policy", " --policy file://policy.json",
      PutPolicy)
      ->add_option("--policy", options->policy, "JSON, or file://PATH")
      ->required();
  add("get-resource-policy", "show its policy", "", GetPolicy);
  add("delete-resource-policy", "delete its policy", "", DeletePolicy);
}

}  // namespace trireme::cli
