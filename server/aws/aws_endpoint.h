// AwsEndpoint answers what AWS clients send to a service's address: it finds
// out which operation of which service is meant, checks the signature, and
// hands the call on. The order of checks and what is said are the services'
// own (kinesis-contract.md §1.2, §3.1, §3.6).
#ifndef TRIREME_SERVER_AWS_AWS_ENDPOINT_H_
#define TRIREME_SERVER_AWS_AWS_ENDPOINT_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/aws/aws_call.h"
#include "server/aws/aws_error.h"
#include "server/http/http_exchange.h"

namespace trireme {

class AwsEndpoint : public HttpService {
 public:
  // Why a request is not let in. Thread-safe; must not block.
  using Check = std::function<std::optional<AwsError>(const HttpRequest&)>;
  struct Checks {
    // Of a request's signature, before anything is made of its body. Null:
    // anyone may call.
    Check signature;
    // That there is a signature and it has all its parts, as the services
    // want it of anyone.
    Check signature_shape;
  };

  // The services must outlive the endpoint.
  AwsEndpoint(std::vector<AwsApi*> apis, Checks checks);

  void Serve(std::shared_ptr<HttpExchange> exchange) override;

 private:
  AwsApi* FindApi(absl::string_view target_prefix) const;
  // Of a call whose operation there is.
  void Run(AwsApi* api, std::shared_ptr<AwsCall> call) const;

  // Set at construction.
  const std::vector<AwsApi*> apis_;
  const Checks checks_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_AWS_ENDPOINT_H_
