"""Two KCL workers share a stream; one is killed, the other takes over.

    takes_over.py FOLDER

FOLDER has what tests/compat/install made of java/kcl2 or java/kcl3. Two
applications read the stream side by side, one by polling and one by fan-out,
with two workers each. A writer puts records all the time, while shards are
split and merged and while a worker of each application is killed. At the end
each application processed every record at least once, and started no child
shard before the ends of its parents.
"""
import os
import signal
import subprocess
import sys
import threading
import time

import boto3

STREAM = "compat-kcl"
SHARDS = 8
BATCH = 10
BATCH_SECONDS = 0.1
# For each thing that is waited for. Most take a few seconds; a KCL 3 leader
# looks for shards a minute after its start.
WAIT_SECONDS = 90
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

    def __init__(self, folder, retrieval, letter):
        self.name = retrieval + "-" + letter
        path = os.path.join(os.environ["COMPAT_FOLDER"], self.name)
        self.events_path, self.log_path = path + ".events", path + ".log"
        with open(self.events_path, "wb") as out, \
                open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx256m",
                 "@" + os.path.join(folder, "java-arguments"), "Worker",
                 STREAM, self.name, retrieval],
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

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

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
        if len(told) > 60:
            told[40:-20] = ["...\n"]
        print("--- what worker %s warned of:\n%s---" % (
            self.name, "".join(told)), flush=True)


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
    until("the split is done", active)
    kinesis.merge_shards(StreamName=STREAM, ShardToMerge=ids[-2],
                         AdjacentShardToMerge=ids[-1])
    until("the merge is done", active)


class Application:
    """Two workers that share the stream's shards."""

    def __init__(self, folder, retrieval):
        # What Worker.java calls it.
        self.name = STREAM + "-" + retrieval
        self.folder, self.retrieval = folder, retrieval
        self.left = self.killed = Worker(folder, retrieval, "a")
        self.workers = [self.left]

    def add_worker(self):
        self.killed = Worker(self.folder, self.retrieval, "b")
        self.workers.append(self.killed)

    def shares(self, count):
        """Both work, on all of `count` shards together."""
        for worker in self.workers:
            worker.check_running()
        mine, others = self.left.shards(), self.killed.shards()
        return (len(mine) >= 2 and len(others) >= 2 and
                len(mine | others) == count)

    def has(self, shard_ids):
        return self.left.shards() | self.killed.shards() == shard_ids

    def left_has(self, shard_ids):
        self.left.check_running()
        return self.left.shards() == shard_ids

    def processed(self):
        return [data for worker in self.workers
                for _, event, _, data in worker.events() if event == "RECORD"]

    def check_parents_first(self):
        events = [event for worker in self.workers
                  for event in worker.events()]
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

    def check_leases(self):
        dynamodb = boto3.client("dynamodb", endpoint_url=os.environ.get(
            "COMPAT_DYNAMODB_URL", os.environ["AWS_ENDPOINT_URL"]))
        items = dynamodb.scan(TableName=self.name)["Items"]
        leases = {item["leaseKey"]["S"]: item for item in items}
        for shard_id in shards("AT_LATEST"):
            owner = leases[shard_id]["leaseOwner"]["S"]
            if owner != self.left.name:
                fail("the lease of %s is %s's" % (shard_id, owner))


def run(folder, applications):
    kinesis.create_stream(StreamName=STREAM, ShardCount=SHARDS)
    until("the stream is active", active)
    writer = Writer()
    try:
        for retrieval in ("polling", "fan-out"):
            applications.append(Application(folder, retrieval))
        # Of two KCL 3 workers that make the tables at once, one gives up.
        for each in applications:
            until("%s starts" % each.name, each.left.shards)
            each.add_worker()
        for each in applications:
            until("%s shares %d shards" % (each.name, SHARDS),
                  lambda: each.shares(SHARDS))
        reshard()
        open_shards = set(shards("AT_LATEST"))
        for each in applications:
            until("%s works on the children" % each.name,
                  lambda: each.has(open_shards))
        for each in applications:
            each.killed.kill()
        for each in applications:
            until("%s's other worker has all shards" % each.name,
                  lambda: each.left_has(open_shards))
    finally:
        writer.stop()
    expected = {"record %d" % i for i in range(writer.count)}
    for each in applications:
        until("%s has processed all records" % each.name,
              lambda: expected <= set(each.processed()))
        each.check_parents_first()
        each.check_leases()
        seen = each.processed()
        if set(seen) != expected:
            fail("records came that nobody put")
        print("  %s: %d records put, %d processed" % (
            each.name, writer.count, len(seen)))
        each.left.kill()
        for worker in each.workers:
            worker.check_log()


def main():
    applications = []
    try:
        run(sys.argv[1], applications)
        print("ok")
        return 0
    except BaseException:
        for application in applications:
            for worker in application.workers:
                print("worker %s has %s" % (worker.name,
                                            sorted(worker.shards())))
                worker.print_log()
        raise
    finally:
        for application in applications:
            for worker in application.workers:
                worker.kill()


if __name__ == "__main__":
    sys.exit(main())
