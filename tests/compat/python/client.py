"""boto3: JSON over HTTP/1.1, fan-out by a chunked event stream.

The steps are the table of ../README.md. A step that this version of boto3 has
no operation for says so.
"""
import datetime
import hashlib
import json
import os
import sys
import threading
import time
import traceback

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

HIGHEST_HASH_KEY = str(2**128 - 1)
MIDDLE_HASH_KEY = str(2**127)
MAIN = "compat-main"
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
WAITER = {"Delay": 1, "MaxAttempts": 30}


def client(endpoint, config=None):
    return boto3.client("kinesis", endpoint_url=endpoint, config=config)


kinesis = client(os.environ["AWS_ENDPOINT_URL"])
errors = kinesis.exceptions
stream = {}
put_records = []  # What was put into MAIN: (shard, key, data).


def has(operation):
    return operation in kinesis.meta.service_model.operation_names


def equal(actual, expected):
    assert actual == expected, "%r instead of %r" % (actual, expected)


def fails(error_type, call, **arguments):
    """The typed error, or the error of that name."""
    try:
        call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if isinstance(error_type, str):
            equal(code, error_type)
        else:
            assert isinstance(error, error_type), "%s: %s" % (code, error)
        metadata = error.response["ResponseMetadata"]
        equal(metadata["HTTPStatusCode"], 400)
        assert metadata["RequestId"]
        assert error.response["Error"]["Message"]
        return error
    raise AssertionError("the call succeeded")


def is_now(at):
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - at).total_seconds()) < 60, "%s is not now" % at


def until(what, condition):
    deadline = time.monotonic() + 30
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "waited 30 s for " + what
        time.sleep(0.1)


def summary(name):
    return kinesis.describe_stream_summary(
        StreamName=name)["StreamDescriptionSummary"]


def active(name):
    def seen():
        found = summary(name)
        return found["StreamStatus"] == "ACTIVE" and found
    return until(name + " to be ACTIVE", seen)


def create(name, shards):
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name,
                                             WaiterConfig=WAITER)
    return summary(name)


def shards_of(name, filter_type=None):
    more = {"ShardFilter": {"Type": filter_type}} if filter_type else {}
    return kinesis.list_shards(StreamName=name, **more)["Shards"]


def iterator(name, shard, kind, **more):
    return kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard, ShardIteratorType=kind,
        **more)["ShardIterator"]


def read(position, count):
    """Records until `count` are there (or the shard's end; last answer)."""
    records, answer = [], None
    deadline = time.monotonic() + 20
    while position and len(records) < count:
        answer = kinesis.get_records(ShardIterator=position)
        records += answer["Records"]
        following = answer.get("NextShardIterator")
        assert following != position, "the iterator did not change"
        position = following
        assert time.monotonic() < deadline, "%d of %s records" % (
            len(records), count)
        if position and len(records) < count:
            time.sleep(0.05)
    return records, answer


def texts(position, count):
    return [each["Data"].decode() for each in read(position, count)[0]]


def put(name, data, key, hash_key=None):
    more = {"ExplicitHashKey": hash_key} if hash_key else {}
    return kinesis.put_record(StreamName=name, Data=data, PartitionKey=key,
                              **more)


def register(arn, name):
    consumer = kinesis.register_stream_consumer(
        StreamARN=arn, ConsumerName=name)["Consumer"]
    equal(consumer["ConsumerStatus"], "CREATING")
    is_now(consumer["ConsumerCreationTimestamp"])
    until("consumer %s to be ACTIVE" % name, lambda: (
        kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
        ["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE"))
    return consumer


def subscribe(consumer, shard, kind):
    return kinesis.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"], ShardId=shard,
        StartingPosition={"Type": kind})["EventStream"]


# --- The steps.


def creates_a_stream_and_waits():
    stream.update(create(MAIN, 2))
    equal(stream["StreamStatus"], "ACTIVE")
    equal(stream["OpenShardCount"], 2)
    equal(stream["RetentionPeriodHours"], 24)
    equal(stream["StreamModeDetails"], {"StreamMode": "PROVISIONED"})
    is_now(stream["StreamCreationTimestamp"])
    described = kinesis.describe_stream(StreamName=MAIN)["StreamDescription"]
    is_now(described["StreamCreationTimestamp"])
    equal(described["Shards"][1]["HashKeyRange"],
          {"StartingHashKey": MIDDLE_HASH_KEY,
           "EndingHashKey": HIGHEST_HASH_KEY})


def puts_records():
    low, high = [shard["ShardId"] for shard in shards_of(MAIN)]
    hash_keys = {low: "0", high: HIGHEST_HASH_KEY}
    put_records.extend([
        (low, "empty", b""),
        (high, "binary", bytes(range(256))),
        (low, "schlüssel-ключ-鍵-🗝", "naïve ✓".encode()),
        (high, "k" * 256, b"the longest key"),
    ])
    for shard, key, data in put_records:
        answer = put(MAIN, data, key, hash_keys[shard])
        equal(answer["ShardId"], shard)
        assert answer["SequenceNumber"].isdigit()
    batch = [((low, high)[i % 2], "batch-%d" % i, b"record %d" % i)
             for i in range(500)]
    answer = kinesis.put_records(StreamName=MAIN, Records=[
        {"Data": data, "PartitionKey": key,
         "ExplicitHashKey": hash_keys[shard]} for shard, key, data in batch])
    equal(answer["FailedRecordCount"], 0)
    equal([entry["ShardId"] for entry in answer["Records"]],
          [shard for shard, _, _ in batch])
    put_records.extend(batch)
    # A key decides by its MD5.
    key = "partitionKey-1"
    hashed = int.from_bytes(hashlib.md5(key.encode()).digest(), "big")
    equal(put(MAIN, b"by key", key)["ShardId"],
          low if hashed < 2**127 else high)
    put_records.append((low if hashed < 2**127 else high, key, b"by key"))


def reads_by_every_iterator_type():
    shards = shards_of(MAIN)
    for shard in shards:
        expected = [(key, data) for where, key, data in put_records
                    if where == shard["ShardId"]]
        records, _ = read(iterator(MAIN, shard["ShardId"], "TRIM_HORIZON"),
                          len(expected))
        equal(sorted((each["PartitionKey"], each["Data"])
                     for each in records), sorted(expected))
        for each in records:
            is_now(each["ApproximateArrivalTimestamp"])
            assert "EncryptionType" not in each
    shard = shards[0]["ShardId"]
    latest = iterator(MAIN, shard, "LATEST")
    numbers = []
    for i in range(4):
        if i == 2:
            time.sleep(1.1)  # boto3 sends whole seconds.
        numbers.append(put(MAIN, b"r%d" % i, "five", "0")["SequenceNumber"])
    equal(texts(latest, 4), ["r0", "r1", "r2", "r3"])
    # An iterator is a position: a retry reads the same.
    equal(texts(latest, 4), ["r0", "r1", "r2", "r3"])
    at = iterator(MAIN, shard, "AT_SEQUENCE_NUMBER",
                  StartingSequenceNumber=numbers[2])
    equal(texts(at, 2), ["r2", "r3"])
    equal(texts('"%s"' % at, 2), ["r2", "r3"])  # As scripts pass it.
    after = iterator(MAIN, shard, "AFTER_SEQUENCE_NUMBER",
                     StartingSequenceNumber=numbers[2])
    equal(texts(after, 1), ["r3"])
    arrival = read(at, 1)[0][0]["ApproximateArrivalTimestamp"]
    since = iterator(MAIN, shard, "AT_TIMESTAMP", Timestamp=arrival)
    equal(texts(since, 2), ["r2", "r3"])
    iterator(MAIN, shard, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=(
        shards[0]["SequenceNumberRange"]["StartingSequenceNumber"]))


def subscribes_to_a_shard():
    low, high = [shard["ShardId"] for shard in shards_of(MAIN)]
    consumer = register(stream["StreamARN"], "fan-out")
    events = subscribe(consumer, low, "LATEST")
    fails(errors.ResourceInUseException, kinesis.subscribe_to_shard,
          ConsumerARN=consumer["ConsumerARN"], ShardId=low,
          StartingPosition={"Type": "LATEST"})
    sent, latencies = {}, []

    def send():
        for i in range(11):
            time.sleep(0.1)
            sent[b"push %d" % i] = time.monotonic()
            put(MAIN, b"push %d" % i, "push", "0")

    sender = threading.Thread(target=send)
    sender.start()
    continuation = None
    for event in events:
        event = event["SubscribeToShardEvent"]
        continuation = event["ContinuationSequenceNumber"]
        assert event["MillisBehindLatest"] >= 0
        for record in event["Records"]:
            latencies.append(time.monotonic() - sent[record["Data"]])
            is_now(record["ApproximateArrivalTimestamp"])
        if len(latencies) >= 11:
            break
    events.close()
    sender.join()
    latencies.sort()
    print("  put to push: median %.1f ms, most %.1f ms" % (
        latencies[5] * 1e3, latencies[-1] * 1e3))
    assert latencies[5] < 1
    # The other shard from its start: not LATEST only.
    expected = sum(where == high for where, _, _ in put_records)
    seen = 0
    events = subscribe(consumer, high, "TRIM_HORIZON")
    for event in events:
        seen += len(event["SubscribeToShardEvent"]["Records"])
        if seen >= expected:
            break
    events.close()
    equal(seen, expected)
    iterator(MAIN, low, "AFTER_SEQUENCE_NUMBER",
             StartingSequenceNumber=continuation)


def put_some(name, start):
    for i in range(start, start + 10):
        put(name, b"%d" % i, "key-%d" % (i % 4))  # Both sides of the middle.
    return start + 10


def read_parents_first(name, root, count):
    """(key, value) of each record, by what the shards' ends say."""
    values, ended, todo = [], [], [root]
    while todo:
        shard = todo.pop(0)
        last = not todo and len(ended) == 3
        records, answer = read(iterator(name, shard, "TRIM_HORIZON"),
                               count - len(values) if last else float("inf"))
        values += [(each["PartitionKey"], int(each["Data"]))
                   for each in records]
        if last:
            return values
        assert answer.get("NextShardIterator") is None
        ended.append(shard)
        for child in answer["ChildShards"]:
            assert shard in child["ParentShards"]
            assert child["HashKeyRange"]["EndingHashKey"]
            if set(child["ParentShards"]) <= set(ended):
                todo.append(child["ShardId"])
    raise AssertionError("no open shard at the end of " + ", ".join(ended))


def reads_across_a_split_and_a_merge():
    name = "compat-reshard"
    created = create(name, 1)
    consumer = register(created["StreamARN"], "across")
    root = shards_of(name)[0]["ShardId"]
    events = subscribe(consumer, root, "TRIM_HORIZON")
    count = put_some(name, 0)
    kinesis.split_shard(StreamName=name, ShardToSplit=root,
                        NewStartingHashKey=MIDDLE_HASH_KEY)
    count = put_some(name, count)
    active(name)
    children = shards_of(name, "AT_LATEST")
    equal([child["ParentShardId"] for child in children], [root, root])
    count = put_some(name, count)
    ids = [child["ShardId"] for child in children]
    kinesis.merge_shards(StreamName=name, ShardToMerge=ids[0],
                         AdjacentShardToMerge=ids[1])
    active(name)
    count = put_some(name, count)
    shards = shards_of(name)
    equal(len(shards), 4)
    equal(shards[3]["ParentShardId"], ids[0])
    equal(shards[3]["AdjacentParentShardId"], ids[1])
    assert "EndingSequenceNumber" in shards[0]["SequenceNumberRange"]
    assert "EndingSequenceNumber" not in shards[3]["SequenceNumberRange"]
    values = read_parents_first(name, root, count)
    equal(sorted(value for _, value in values), list(range(count)))
    for key in {key for key, _ in values}:
        in_order = [value for each, value in values if each == key]
        equal(in_order, sorted(in_order))
    # The subscription to the split shard ends with its children.
    end = [event["SubscribeToShardEvent"] for event in events][-1]
    assert end.get("ContinuationSequenceNumber") is None
    equal([child["ShardId"] for child in end["ChildShards"]], ids)


def keeps_consumers():
    arn = stream["StreamARN"]
    names = ["one", "two", "three"]
    for name in names:
        register(arn, name)
    fails(errors.ResourceInUseException, kinesis.register_stream_consumer,
          StreamARN=arn, ConsumerName="one")
    pages = kinesis.get_paginator("list_stream_consumers").paginate(
        StreamARN=arn, PaginationConfig={"PageSize": 2})
    listed = [each["ConsumerName"] for page in pages
              for each in page["Consumers"]]
    equal(sorted(listed), sorted(names + ["fan-out"]))
    for name in names:
        kinesis.deregister_stream_consumer(StreamARN=arn, ConsumerName=name)

    def gone():
        try:
            kinesis.describe_stream_consumer(StreamARN=arn,
                                             ConsumerName="one")
            return False
        except errors.ResourceNotFoundException:
            return True
    until("consumer one to be gone", gone)


def keeps_tags():
    def by_key(tags):
        return {tag["Key"]: tag.get("Value") for tag in tags}

    kinesis.add_tags_to_stream(StreamName=MAIN, Tags={
        "team": "données", "tier": "2", "empty": ""})
    answer = kinesis.list_tags_for_stream(StreamName=MAIN)
    equal(by_key(answer["Tags"]),
          {"team": "données", "tier": "2", "empty": ""})
    equal(answer["HasMoreTags"], False)
    page = kinesis.list_tags_for_stream(StreamName=MAIN, Limit=2)
    equal((len(page["Tags"]), page["HasMoreTags"]), (2, True))
    kinesis.remove_tags_from_stream(StreamName=MAIN, TagKeys=["team"])
    if not has("TagResource"):
        return "no TagResource in this version"
    arn = stream["StreamARN"]
    kinesis.tag_resource(ResourceARN=arn, Tags={"tier": "3"})
    kinesis.untag_resource(ResourceARN=arn, TagKeys=["empty"])
    equal(by_key(kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"]),
          {"tier": "3"})
    return None


def changes_retention():
    kinesis.increase_stream_retention_period(StreamName=MAIN,
                                             RetentionPeriodHours=48)
    equal(active(MAIN)["RetentionPeriodHours"], 48)
    kinesis.decrease_stream_retention_period(StreamName=MAIN,
                                             RetentionPeriodHours=24)
    equal(active(MAIN)["RetentionPeriodHours"], 24)
    fails(errors.InvalidArgumentException,
          kinesis.decrease_stream_retention_period, StreamName=MAIN,
          RetentionPeriodHours=23)


def switches_enhanced_monitoring():
    metrics = ["IncomingBytes", "OutgoingBytes"]
    on = kinesis.enable_enhanced_monitoring(StreamName=MAIN,
                                            ShardLevelMetrics=metrics)
    equal(on["CurrentShardLevelMetrics"], [])
    equal(sorted(on["DesiredShardLevelMetrics"]), metrics)
    equal(sorted(active(MAIN)["EnhancedMonitoring"][0]["ShardLevelMetrics"]),
          metrics)
    off = kinesis.disable_enhanced_monitoring(StreamName=MAIN,
                                              ShardLevelMetrics=["ALL"])
    equal(off["DesiredShardLevelMetrics"], [])
    active(MAIN)


def switches_encryption():
    key = {"StreamName": MAIN, "EncryptionType": "KMS",
           "KeyId": "alias/aws/kinesis"}
    kinesis.start_stream_encryption(**key)
    on = active(MAIN)
    equal(on["EncryptionType"], "KMS")
    equal(on["KeyId"], "alias/aws/kinesis")
    answer = put(MAIN, b"secret", "encrypted", "0")
    equal(answer["EncryptionType"], "KMS")
    records, _ = read(iterator(
        MAIN, answer["ShardId"], "AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=answer["SequenceNumber"]), 1)
    equal(records[0]["Data"], b"secret")
    equal(records[0]["EncryptionType"], "KMS")
    kinesis.stop_stream_encryption(**key)
    equal(active(MAIN)["EncryptionType"], "NONE")


def updates_the_shard_count():
    answer = kinesis.update_shard_count(
        StreamName=MAIN, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    equal((answer["CurrentShardCount"], answer["TargetShardCount"]), (2, 4))
    equal(active(MAIN)["OpenShardCount"], 4)
    equal(len(shards_of(MAIN, "AT_LATEST")), 4)


def has_on_demand_streams():
    name = "compat-on-demand"
    kinesis.create_stream(StreamName=name,
                          StreamModeDetails={"StreamMode": "ON_DEMAND"})
    created = active(name)
    equal(created["StreamModeDetails"], {"StreamMode": "ON_DEMAND"})
    equal(created["OpenShardCount"], 4)
    fails("ValidationException", kinesis.split_shard, StreamName=name,
          ShardToSplit="shardId-000000000000", NewStartingHashKey="1000")
    kinesis.update_stream_mode(StreamARN=created["StreamARN"],
                               StreamModeDetails={"StreamMode": "PROVISIONED"})
    changed = active(name)
    equal(changed["StreamModeDetails"], {"StreamMode": "PROVISIONED"})
    equal(changed["OpenShardCount"], 4)


def keeps_resource_policies():
    if not has("PutResourcePolicy"):
        return "no PutResourcePolicy in this version"
    arn = stream["StreamARN"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "reader", "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["kinesis:DescribeStreamSummary", "kinesis:GetRecords",
                       "kinesis:GetShardIterator", "kinesis:ListShards"],
            "Resource": arn,
        }],
    }
    kinesis.put_resource_policy(ResourceARN=arn, Policy=json.dumps(policy))
    equal(json.loads(kinesis.get_resource_policy(ResourceARN=arn)["Policy"]),
          policy)
    kinesis.delete_resource_policy(ResourceARN=arn)
    equal(kinesis.get_resource_policy(ResourceARN=arn)["Policy"], "{}")
    return None


def throws_typed_errors():
    error = fails(errors.ResourceNotFoundException,
                  kinesis.describe_stream_summary, StreamName="absent")
    assert "absent" in error.response["Error"]["Message"]
    fails(errors.ResourceNotFoundException, kinesis.put_record,
          StreamName="absent", PartitionKey="k", Data=b"x")
    fails(errors.ResourceInUseException, kinesis.create_stream,
          StreamName=MAIN, ShardCount=1)
    fails(errors.InvalidArgumentException, kinesis.get_records,
          ShardIterator="AAAA")
    later = datetime.datetime.now(
        datetime.timezone.utc) + datetime.timedelta(hours=1)
    fails(errors.InvalidArgumentException, kinesis.get_shard_iterator,
          StreamName=MAIN, ShardId="shardId-000000000000",
          ShardIteratorType="AT_TIMESTAMP", Timestamp=later)
    fails(errors.InvalidArgumentException, kinesis.put_record,
          StreamName=MAIN, PartitionKey="k", Data=b"x",
          ExplicitHashKey=str(2**128))
    fails("ValidationException", kinesis.describe_stream_summary,
          StreamName="not a name")
    fails("ValidationException", kinesis.put_record, StreamName=MAIN,
          PartitionKey="k" * 257, Data=b"x")


def pages_through_lists():
    pages = list(kinesis.get_paginator("list_streams").paginate(
        PaginationConfig={"PageSize": 1}))
    assert len(pages) >= 3
    equal([name for page in pages for name in page["StreamNames"]],
          ["compat-main", "compat-on-demand", "compat-reshard"])
    # boto3's paginator for ListShards sends the name along with the token,
    # which Kinesis refuses.
    ids, position = [], {"StreamName": MAIN}
    while position:
        page = kinesis.list_shards(MaxResults=4, **position)
        assert len(page["Shards"]) <= 4
        ids += [shard["ShardId"] for shard in page["Shards"]]
        token = page.get("NextToken")
        position = token and {"NextToken": token}
    equal(ids, [shard["ShardId"] for shard in shards_of(MAIN)])
    equal(len(ids), 6)
    pages = kinesis.get_paginator("describe_stream").paginate(
        StreamName=MAIN, PaginationConfig={"PageSize": 4})
    equal([shard["ShardId"] for page in pages
           for shard in page["StreamDescription"]["Shards"]], ids)


def is_throttled_and_retries():
    limited = os.environ["TRIREME_LIMITED_URL"]
    if not limited:
        return "not with this server"
    name = "compat-throttled"
    hasty = client(limited, ONCE)
    patient = client(limited, Config(
        retries={"mode": "standard", "total_max_attempts": 12}))
    patient.create_stream(StreamName=name, ShardCount=1)
    patient.get_waiter("stream_exists").wait(StreamName=name,
                                             WaiterConfig=WAITER)
    thrown = None
    for _ in range(40):  # A shard may take some MiB at once.
        try:
            hasty.put_record(StreamName=name, PartitionKey="big",
                             Data=bytes(1000000))
        except hasty.exceptions.ProvisionedThroughputExceededException as e:
            thrown = e
            break
    assert thrown, "40 MB/s are not throttled"
    batch = hasty.put_records(StreamName=name, Records=[
        {"PartitionKey": "big", "Data": bytes(1000000)} for _ in range(9)])
    assert batch["FailedRecordCount"] > 0
    codes = [entry["ErrorCode"] for entry in batch["Records"]
             if "ErrorCode" in entry]
    equal(codes, ["ProvisionedThroughputExceededException"] *
          batch["FailedRecordCount"])
    retries = 0
    for _ in range(4):
        answer = patient.put_record(StreamName=name, PartitionKey="big",
                                    Data=bytes(500000))
        retries += answer["ResponseMetadata"]["RetryAttempts"]
    assert retries > 0, "nothing was retried"
    return None


def deletes_streams():
    fails(errors.ResourceInUseException, kinesis.delete_stream,
          StreamName=MAIN)
    kinesis.delete_stream(StreamName=MAIN, EnforceConsumerDeletion=True)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=MAIN,
                                                 WaiterConfig=WAITER)


STEPS = [
    creates_a_stream_and_waits, puts_records, reads_by_every_iterator_type,
    subscribes_to_a_shard, reads_across_a_split_and_a_merge, keeps_consumers,
    keeps_tags, changes_retention, switches_enhanced_monitoring,
    switches_encryption, updates_the_shard_count, has_on_demand_streams,
    keeps_resource_policies, throws_typed_errors, pages_through_lists,
    is_throttled_and_retries, deletes_streams,
]


def main():
    print("boto3 %s, botocore %s" % (boto3.__version__, botocore.__version__))
    failures = 0
    for step in STEPS:
        start = time.monotonic()
        try:
            note = step()
            print("ok %s (%d ms)%s" % (
                step.__name__, (time.monotonic() - start) * 1e3,
                ": " + note if note else ""), flush=True)
        except Exception:  # Every failure is reported; the rest still runs.
            failures += 1
            print("FAILED %s" % step.__name__, flush=True)
            traceback.print_exc()
            if not stream:
                break
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
