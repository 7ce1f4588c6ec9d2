"""Two KCL workers share a stream; one is killed, the other takes over.

    takes_over.py FOLDER polling|fan-out

FOLDER has the classes and the class path of java/kcl2 or java/kcl3. A writer
puts records all the time, while shards are split and merged and while a worker
dies. At the end every record was processed at least once, and no child shard
was started before the ends of its parents.
"""
import os
import signal
import subprocess
import sys
import threading
import time

import boto3

STREAM = "compat-kcl"
APPLICATION = STREAM + "-application"
SHARDS = 8
BATCH = 10
BATCH_SECONDS = 0.1
# For each thing that is waited for; most take a few seconds.
WAIT_SECONDS = 60
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
# Of the library's log; it goes on by itself, so only its log would tell.
FORBIDDEN = ["Could not publish", "Unable to execute HTTP request"]

kinesis = boto3.client("kinesis", endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def fail(message):
    raise AssertionError(message)


def until(what, condition):
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > WAIT_SECONDS:
            fail("waited %d s for %s" % (WAIT_SECONDS, what))
        time.sleep(0.2)
    print("  %s after %.1f s" % (what, time.monotonic() - start), flush=True)


class Worker:
    """One process; its events are the lines it printed so far."""

    def __init__(self, folder, name, retrieval):
        self.name = name
        path = os.path.join(os.environ["COMPAT_FOLDER"], name)
        self.events_path, self.log_path = path + ".events", path + ".log"
        with open(os.path.join(folder, "class-path")) as class_path:
            classes = os.path.join(folder, "classes") + ":" + class_path.read()
        with open(self.events_path, "wb") as out, \
                open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                JAVA + ["-cp", classes, "Worker", STREAM, name, retrieval],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log)

    def events(self):
        """(ms, event, shard, data) of each complete line."""
        with open(self.events_path, encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    ms, event, shard, *data = line.split()
                    yield int(ms), event, shard, " ".join(data)

    def shards(self):
        """Those it works on, as far as it knows."""
        shards = set()
        for _, event, shard, _ in self.events():
            if event == "START":
                shards.add(shard)
            elif event in ("LOST", "END"):
                shards.discard(shard)
        return shards

    def check_running(self):
        if self.process.poll() is not None:
            fail("worker %s ended with code %d" % (
                self.name, self.process.returncode))

    def check_log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            for line in log:
                for words in FORBIDDEN:
                    if words in line:
                        fail("worker %s: %s" % (self.name, line))

    def print_log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            told = [line for line in log if "WARN" in line or "ERROR" in line
                    or "Exception" in line or line.startswith("\tat ")]
        print("--- what worker %s warned of last:\n%s---" % (
            self.name, "".join(told[-40:])), flush=True)


class Writer:
    """Puts numbered records until it is stopped."""

    def __init__(self):
        self.count = 0
        self.error = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        client = boto3.client("kinesis",
                              endpoint_url=os.environ["AWS_ENDPOINT_URL"])
        try:
            while not self.stopping.wait(BATCH_SECONDS):
                records = [{"Data": b"record %d" % i,
                            "PartitionKey": "key %d" % i}
                           for i in range(self.count, self.count + BATCH)]
                answer = client.put_records(StreamName=STREAM,
                                            Records=records)
                if answer["FailedRecordCount"]:
                    raise AssertionError(str(answer))
                self.count += BATCH
        except Exception as error:  # Told by stop().
            self.error = error

    def stop(self):
        self.stopping.set()
        self.thread.join()
        if self.error:
            raise self.error


def active():
    description = kinesis.describe_stream_summary(StreamName=STREAM)
    return description["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"


def shards(filter_type="FROM_TRIM_HORIZON"):
    return {shard["ShardId"]: shard for shard in kinesis.list_shards(
        StreamName=STREAM, ShardFilter={"Type": filter_type})["Shards"]}


def reshard():
    """Splits the first shard, merges the last two."""
    ids = sorted(shards("AT_LATEST"))
    kinesis.split_shard(StreamName=STREAM, ShardToSplit=ids[0],
                        NewStartingHashKey=str(2**124))
    until("the split", active)
    kinesis.merge_shards(StreamName=STREAM, ShardToMerge=ids[-2],
                         AdjacentShardToMerge=ids[-1])
    until("the merge", active)


def processed(workers):
    return [data for worker in workers
            for _, event, _, data in worker.events() if event == "RECORD"]


def check_parents_first(workers):
    events = [event for worker in workers for event in worker.events()]
    checked = 0
    for shard_id, shard in shards().items():
        starts = [ms for ms, event, where, _ in events
                  if event == "START" and where == shard_id]
        for parent in (shard.get("ParentShardId"),
                       shard.get("AdjacentParentShardId")):
            if parent is None:
                continue
            ends = [ms for ms, event, where, _ in events
                    if event == "END" and where == parent]
            if not ends or min(starts) < min(ends):
                fail("%s was started before the end of %s" % (
                    shard_id, parent))
            checked += 1
    if checked != 4:
        fail("%d pairs of parent and child instead of 4" % checked)


def check_leases(owner):
    dynamodb = boto3.client("dynamodb", endpoint_url=os.environ.get(
        "COMPAT_DYNAMODB_URL", os.environ["AWS_ENDPOINT_URL"]))
    leases = {item["leaseKey"]["S"]: item for item in dynamodb.scan(
        TableName=APPLICATION)["Items"]}
    for shard_id in shards("AT_LATEST"):
        if leases[shard_id]["leaseOwner"]["S"] != owner:
            fail("the lease of %s is %s's" % (
                shard_id, leases[shard_id]["leaseOwner"]["S"]))


def run(folder, retrieval, workers):
    kinesis.create_stream(StreamName=STREAM, ShardCount=SHARDS)
    until("the stream", active)
    writer = Writer()
    try:
        workers += [Worker(folder, name, retrieval) for name in "ab"]
        one, other = workers

        def shared(count):
            for worker in workers:
                worker.check_running()
            mine, others = one.shards(), other.shards()
            return (len(mine) >= 2 and len(others) >= 2 and
                    len(mine | others) == count)
        until("two workers share %d shards" % SHARDS, lambda: shared(SHARDS))
        reshard()
        open_shards = set(shards("AT_LATEST"))
        until("the children are worked on",
              lambda: one.shards() | other.shards() == open_shards)
        other.process.send_signal(signal.SIGKILL)
        other.process.wait()
        until("the worker that is left has all shards",
              lambda: one.shards() == open_shards)
    finally:
        writer.stop()
    expected = {"record %d" % i for i in range(writer.count)}
    until("all records are processed",
          lambda: expected <= set(processed(workers)))
    check_parents_first(workers)
    check_leases(one.name)
    one.check_running()
    one.process.terminate()
    one.process.wait(WAIT_SECONDS)
    for worker in workers:
        worker.check_log()
    seen = processed(workers)
    print("  %d records put, %d processed" % (writer.count, len(seen)))
    if set(seen) != expected:
        fail("records came that nobody put")


def main():
    folder, retrieval = sys.argv[1:]
    workers = []
    try:
        run(folder, retrieval, workers)
        print("ok")
        return 0
    except BaseException:
        for worker in workers:
            print("worker %s has %s" % (worker.name,
                                        sorted(worker.shards())))
            worker.print_log()
        raise
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


if __name__ == "__main__":
    sys.exit(main())
