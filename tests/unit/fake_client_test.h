// What tests of the client library share: a fake server, a client of it, and a
// stream "s".
#ifndef TRIREME_TESTS_UNIT_FAKE_CLIENT_TEST_H_
#define TRIREME_TESTS_UNIT_FAKE_CLIENT_TEST_H_

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "client/client.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {

class FakeClientTest : public ::testing::Test {
 protected:
  explicit FakeClientTest(int shards = 1) : shards_(shards) {}

  void SetUp() override {
    auto client = Client::Create(
        {.endpoints = {fake_.address()}, .credentials = nullptr});
    ASSERT_TRUE(client.ok());
    client_ = *std::move(client);
    ASSERT_TRUE(client_->CreateStream("s", shards_).ok());
  }

  const int shards_;  // Set at construction.

  trireme::testing::FakeTrireme fake_;
  std::unique_ptr<Client> client_;
};

}  // namespace trireme::client

#endif  // TRIREME_TESTS_UNIT_FAKE_CLIENT_TEST_H_
