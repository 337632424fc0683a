"""Runs generations in this process, in the thread that submits them, and keeps their records true."""

import logging
from collections.abc import Mapping, Sequence

from jobs.context import generation_id
from jobs.heartbeat import Heartbeat
from jobs.parts import Parts
from jobs.recorder import Recorder, described
from jobs.run import OperationFunction, Run
from jobs.submission import Finished, Product, Submission, Text
from store.documents import GenerationInputs, GenerationRecord, Output

logger = logging.getLogger(__name__)


class Runner:
    """Takes submissions, runs them and waits; one for each process.

    Args:
        parts: what operations are made with.
        functions: the function of every operation, by (APP_ID, operation name).
    """

    def __init__(self, parts: Parts, functions: Mapping[tuple[int, str], OperationFunction]) -> None:
        self._parts = parts
        self._functions = functions
        self._heartbeat = Heartbeat(parts.stores)

    def run(self, submission: Submission) -> Finished:
        """Record the submission, run it to its end and return what it made.

        The record exists before any work is done, and says at the end what happened, also when this raises.

        Raises:
            AgentError: a model service did not deliver.
            StoreError: the record could not be written.
        """
        function = self._functions[submission.app_id, submission.operation]
        record = self._record_of(submission)
        token = generation_id.set(record.id)
        try:
            with self._heartbeat.working_on(record.id):
                self._parts.stores.generations.insert(record)
                return self._run(record, function, submission)
        finally:
            generation_id.reset(token)

    def wake(self) -> None:
        """Begin to look after abandoned generations; called at the first request, so after any fork."""
        self._heartbeat.start()

    def stop(self) -> None:
        """Stop the heartbeat; what still runs in this process counts as abandoned after a while."""
        self._heartbeat.stop()

    def _record_of(self, submission: Submission) -> GenerationRecord:
        inputs = submission.inputs
        parents = self._parts.stores.generations.parents_of(submission.participant_id, inputs.image_ids, inputs.texts)
        return GenerationRecord(
            id=submission.generation_id,
            app_id=submission.app_id,
            participant_id=submission.participant_id,
            operation=submission.operation,
            origin=dict(submission.origin),
            inputs=GenerationInputs(
                task=inputs.task,
                texts=inputs.texts,
                image_ids=inputs.image_ids,
                num=inputs.num,
                current_stage=inputs.stage,
            ),
            seed=inputs.seed,
            parents=parents,
            owner=self._heartbeat.runner_id,
            request_id=submission.request_id,
        )

    def _run(self, record: GenerationRecord, function: OperationFunction, submission: Submission) -> Finished:
        generations, owner = self._parts.stores.generations, self._heartbeat.runner_id
        generations.start(record.id, owner)
        recorder = Recorder(generations, record.id, owner)
        logger.info("%s started", record.operation)
        try:
            products = tuple(function(Run(submission.inputs, self._parts, recorder)))
        except BaseException as exc:
            generations.fail(record.id, owner, described(exc))
            logger.info("%s failed: %s", record.operation, type(exc).__name__)
            raise
        generations.finish(record.id, owner, outputs_of(products))
        logger.info("%s succeeded", record.operation)
        return Finished(record.id, products)


def outputs_of(products: Sequence[Product]) -> list[Output]:
    """Turn what an operation made into the outputs of its record."""
    return [
        Output(kind="text", text=product.json(), index=index)
        if isinstance(product, Text)
        else Output(kind="image", image_id=product.image_id, index=index)
        for index, product in enumerate(products)
    ]
