// Where a browser says a request comes from (the header Origin).
#ifndef TRIREME_SERVER_AWS_WEB_ORIGIN_H_
#define TRIREME_SERVER_AWS_WEB_ORIGIN_H_

#include "server/http/http_exchange.h"

namespace trireme {

// Whether a page of another machine made the request, or one that hides where
// it is from. A server that takes anyone must not take these: every page that
// its user looks at could drive it.
bool IsFromForeignPage(const HttpRequest& request);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_WEB_ORIGIN_H_
