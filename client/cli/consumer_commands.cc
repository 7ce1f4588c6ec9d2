// trireme consumer register | list | describe | deregister
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/conclude.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/table.h"
#include "client/cli/tag_text.h"

namespace trireme::cli {
namespace {

struct Options {
  std::vector<std::string> names;  // STREAM CONSUMER, or an ARN.
  std::string stream;
  std::string consumer;
  std::vector<std::string> tags;  // KEY=VALUE
};
using Run = int (*)(Session&, client::Client&, const Options&);

// Fields of a Consumer or a ConsumerDescription.
template <typename Message>
Json ConsumerJson(const Message& consumer) {
  return {
      {"ConsumerName", consumer.consumer_name()},
      {"ConsumerARN", consumer.consumer_arn()},
      {"ConsumerStatus", v1::Consumer::Status_Name(consumer.consumer_status())},
      {"ConsumerCreationTimestamp",
       FormatTime(consumer.consumer_creation_timestamp())}};
}

int Register(Session& session, client::Client& client, const Options& options) {
  const auto tags = ParseTags(options.tags);
  if (!tags.ok()) return session.Fail(tags.status());
  const auto made =
      client.RegisterStreamConsumer(options.stream, options.consumer, *tags);
  if (!made.ok()) return session.Fail(made.status());
  std::ostream& out = session.console().out;
  if (session.json()) {
    out << Dump({{"Consumer", ConsumerJson(*made)}}, true) << "\n";
  } else {
    out << "consumer " << made->consumer_name()
        << " is registered: " << made->consumer_arn() << "\n";
  }
  return kExitOk;
}

int List(Session& session, client::Client& client, const Options& options) {
  const auto consumers = client.ListStreamConsumers(options.stream);
  if (!consumers.ok()) return session.Fail(consumers.status());
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const auto& consumer : *consumers) {
      all.push_back(ConsumerJson(consumer));
    }
    console.out << Dump({{"Consumers", all}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"CONSUMER"}, {"STATUS"}, {"CREATED"}, {"ARN"}});
  for (const v1::Consumer& consumer : *consumers) {
    table.AddRow({consumer.consumer_name(),
                  v1::Consumer::Status_Name(consumer.consumer_status()),
                  FormatTime(consumer.consumer_creation_timestamp()),
                  consumer.consumer_arn()});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

int Describe(Session& session, client::Client& client, const Options& options) {
  const auto found =
      client.DescribeStreamConsumer(options.stream, options.consumer);
  if (!found.ok()) return session.Fail(found.status());
  Console& console = session.console();
  if (session.json()) {
    Json json = ConsumerJson(*found);
    json["StreamARN"] = found->stream_arn();
    console.out << Dump({{"ConsumerDescription", json}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"FIELD"}, {"VALUE"}});
  table.AddRow({"name", found->consumer_name()});
  table.AddRow({"arn", found->consumer_arn()});
  table.AddRow({"status", v1::Consumer::Status_Name(found->consumer_status())});
  table.AddRow({"created", FormatTime(found->consumer_creation_timestamp())});
  table.AddRow({"stream arn", found->stream_arn()});
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

int Deregister(Session& session, client::Client& client,
               const Options& options) {
  return Conclude(
      session,
      client.DeregisterStreamConsumer(options.stream, options.consumer),
      {{"StreamName", options.stream},
       {"ConsumerName", options.consumer},
       {"ConsumerStatus", "DELETED"}},
      absl::StrCat("consumer ", options.consumer,
                   " is not registered any more"));
}

CLI::App* Add(CLI::App& group, Session& session, const std::string& name,
              const std::string& help, const std::string& example,
              const std::shared_ptr<Options>& options, Run run) {
  CLI::App* const app = group.add_subcommand(name, help);
  app->footer("\nExamples:\n" + example);
  RunWithClient(*app, session,
                [&session, options, run](client::Client& client) {
                  return run(session, client, *options);
                });
  return app;
}

// The same for one consumer, which an ARN alone names too.
void AddOfOne(CLI::App& group, Session& session, const std::string& name,
              const std::string& help, const std::string& example,
              const std::shared_ptr<Options>& options, Run run) {
  CLI::App* const app = Add(group, session, name, help, example, options, run);
  app->add_option("STREAM CONSUMER", options->names,
                  "the stream's name and the consumer's, or the consumer's ARN")
      ->required()
      ->expected(1, 2);
  app->callback([&session, options, run] {
    session.command = [&session, options, run] {
      const std::vector<std::string>& names = options->names;
      if (names.size() == 1 && !absl::StartsWith(names[0], "arn:")) {
        return session.FailUsage(
            "name the stream and the consumer, or give the consumer's ARN");
      }
      options->consumer = names.back();
      if (names.size() == 2) options->stream = names.front();
      const auto client = session.client();
      if (!client.ok()) return session.Fail(client.status());
      return run(session, **client, *options);
    };
  });
}

}  // namespace

void AddConsumerCommands(CLI::App& app, Session& session) {
  CLI::App& group =
      *app.add_subcommand("consumer", "register, list, describe, deregister");
  group.footer("\nExamples:\n  trireme consumer list orders\n");
  group.require_subcommand(1);
  const auto options = std::make_shared<Options>();
  CLI::App* const registration =
      Add(group, session, "register",
          "register a consumer, which gets records pushed at its own pace",
          "  trireme consumer register orders billing\n"
          "  trireme consumer register orders audit --tags team=risk\n",
          options, Register);
  registration->add_option("STREAM", options->stream, "the stream's name")
      ->required();
  registration
      ->add_option("CONSUMER", options->consumer,
                   "1 to 128 of a-z A-Z 0-9 _ . -")
      ->required();
  AddTagsOption(*registration, "--tags,--tag", options->tags,
                "KEY=VALUE ..., up to 50");
  Add(group, session, "list", "list a stream's registered consumers",
      "  trireme consumer list orders\n", options, List)
      ->add_option("STREAM", options->stream, "the stream's name")
      ->required();
  AddOfOne(group, session, "describe", "show one registered consumer",
           "  trireme consumer describe orders billing\n", options, Describe);
  AddOfOne(group, session, "deregister",
           "deregister a consumer; its subscriptions end",
           "  trireme consumer deregister orders billing\n", options,
           Deregister);
}

}  // namespace trireme::cli
