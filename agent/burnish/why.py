"""Why Burnish did not act: every candidate that is left alone ends with one of these sentences."""

from __future__ import annotations

from enum import Enum


class Why(str, Enum):
    """A reason. The value is stored and never renamed; `sentence` is what a person reads."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Why:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    # the data
    NOT_ENOUGH_CALLS = "not_enough_calls", "Too few calls were seen to say anything with confidence."
    NOT_WORTH_IT = "not_worth_it", "What a fix could save per minute is below the bar in the configuration."
    NOTHING_FOUND = "nothing_found", "No detector sees anything to gain here."
    DOES_NOT_GROW = "does_not_grow", "The number of queries does not grow with the rows, so it is no N+1."
    NO_DRIVER = "no_driver", "No query that returns the rows of the loop was seen before the repeated one."
    TABLE_TOO_SMALL = "table_too_small", "The table is so small that reading all of it is as fast as an index."
    WRITE_HEAVY = "write_heavy", "The table is written so often that an index would cost more than it saves."
    INDEX_EXISTS = "index_exists", "An existing index already serves this query."
    INDEX_UNTRIED = "index_untried", "There is nothing on which the index could be tried without harm."
    PLAN_UNREADABLE = "plan_unreadable", "The database's plan for this statement could not be read."
    NO_DATABASE = "no_database", "No database is configured in which the plan could be read."
    TIME_IS_ELSEWHERE = "time_is_elsewhere", "The time is spent in functions that it calls or in the database."
    WAITING_UNKNOWN = (
        "waiting_unknown",
        "Only spans are known of it: how much of its time is work and how much is waiting, they do not say.",
    )
    RARE = "rare", "It is slow but runs so rarely that nobody would gain."
    DUPLICATE = "duplicate", "Another finding with the same cause covers it."

    NO_CONDITION = "no_condition", "No recorded condition explains its slow calls."
    WITHIN_NOISE = "within_noise", "The difference is within what it varies by anyway."
    MIX_CHANGED = "mix_changed", "Other callers or entries use it now; each of them is as fast as before."
    COST_MOVED = "cost_moved", "The time came to it from its callers; together they are as fast as before."
    NOT_BY_RELEASE = "not_by_release", "It changed, but not when a release went out."
    WENT_AWAY = "went_away", "It was seen after the change and has gone since."
    WARMING_UP = "warming_up", "The release is too young: its caches are still cold."
    NOT_ENOUGH_HISTORY = "not_enough_history", "The data do not reach back far enough."

    # the order of work
    FOR_PEOPLE = "for_people", "It is told; what to do about it is for people to decide."
    HELD_BACK = "held_back", "Better candidates use up the limit on open pull requests; it stays in line."
    IN_PROGRESS = "in_progress", "A job for this function is under way."
    REFUSED_BEFORE = "refused_before", "A person closed this proposal; it is not made again until the code changes."
    DECLINED_BEFORE = "declined_before", "It was tried on this very code and declined; see the detail."
    ONLY_OBSERVED = "only_observed", "The configuration says to observe this kind of fix and not to propose it."
    QUIET_PATH = "quiet_path", "The configuration says to leave this path alone."

    # the repository
    DIRTY_REPOSITORY = "dirty_repository", "The repository has uncommitted work."
    CODE_MOVED_ON = "code_moved_on", "The function in the repository is no longer the one that was measured."
    FUNCTION_NOT_FOUND = "function_not_found", "The function is not in the repository at this commit."
    UNREADABLE = "unreadable", "The file is not Python 3 source that can be read and edited."
    NOT_WRITTEN_HERE = "not_written_here", "The file is generated or somebody else's: an edit of it would be lost."
    RED_BASELINE = "red_baseline", "The service's own tests fail without any change."

    # the edit
    NO_RECIPE = "no_recipe", "No recipe knows this kind of finding, and no model is configured."
    LOOP_WRITES = "loop_writes", "The loop writes to the database, so each of its queries has to see the last write."
    LOOP_LOCKS = "loop_locks", "The query takes a row lock; it must run where it stands."
    LOOP_EXITS_EARLY = "loop_exits_early", "The loop stops early, so fetching everything beforehand could cost more."
    READS_CLOCK = "reads_clock", "The value depends on the clock, so it cannot be computed once for all rows."
    NOT_INVARIANT = "not_invariant", "The value depends on the loop, so it cannot be computed before it."
    QUERYSET_NOT_FOUND = "queryset_not_found", "The query that feeds the loop could not be found for certain."
    RELATION_NOT_FOUND = "relation_not_found", "The relation that the query follows could not be found for certain."
    FILTERED_RELATION = "filtered_relation", "The related rows are filtered on the way; a prefetch does not serve it."
    ALREADY_DONE = "already_done", "The code already does this."
    UNHASHABLE = "unhashable", "The elements are not known to be hashable and of one plain type."
    LOAD_BEARING = "load_bearing", "The code looks redundant but a comment or a write nearby says that it is needed."
    NO_PATTERN = "no_pattern", "The code does not have the shape that this recipe knows how to change."
    AMBIGUOUS = "ambiguous", "More than one place fits, and choosing would be a guess."
    DIFF_TOO_BIG = "diff_too_big", "The change is larger than the configuration allows."
    FORBIDDEN_EDIT = "forbidden_edit", "The edit touches tests, CI or something that no fix may touch."
    MODEL_DECLINED = "model_declined", "The model was asked and found no safe change."
    OVER_BUDGET = "over_budget", "The money for model calls is used up for today."

    # the proof
    TESTS_FAIL = "tests_fail", "The service's own tests fail with the change."
    TEST_VANISHED = "test_vanished", "A test that ran before did not run, or was skipped, with the change."
    RESULT_DIFFERS = "result_differs", "Old and new returned different results for the same input."
    NOT_REACHED = "not_reached", "No recorded request reaches the function, so nothing could be compared."
    NO_REQUESTS = "no_requests", "There are no recorded requests to replay for these entries."
    NO_CALLS = (
        "no_calls",
        "No test calls the function with arguments that can be replayed, so nothing could be compared.",
    )
    NOT_REPEATABLE = "not_repeatable", "Without the change the same call does not give the same result twice."
    UNTESTED = "untested", "Neither a test nor a recorded request runs the lines that change."
    REPLAY_FAILED = "replay_failed", "The service could not be started for the replay."
    MORE_QUERIES = "more_queries", "The change makes more queries than before."
    PLAN_UNCHANGED = "plan_unchanged", "The database does not use the new index."
    NOT_FASTER = "not_faster", "The measured saving is below the bar, or its interval reaches below it."
    SCALES_WORSE = "scales_worse", "The larger the input, the more of the gain is lost."
    TOO_NOISY = "too_noisy", "The machine is too noisy to tell old from new (the A/A control says so)."
    MIGRATION_INCOMPLETE = "migration_incomplete", "The models and the migrations do not agree after the change."

    TOO_RISKY = "too_risky", "It is proven, and still more of a risk than the configuration allows."

    # the people
    CLOSED_BY_PERSON = "closed_by_person", "A person closed the pull request without merging it."
