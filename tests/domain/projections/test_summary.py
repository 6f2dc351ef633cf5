from __future__ import annotations

from msgspec import Raw

from holdfast.domain.content import of_text
from holdfast.domain.projections.summary import FIRST_PREVIEW, PREVIEW, Summary, summarize
from holdfast.domain.session import events as e
from tests.domain.scene import HELLO, START, given, recorded, replay

SECOND = 1_000_000


def summary(*facts: e.Fact) -> Summary:
    return given(*facts).summary


def pieces(*texts: str) -> Summary:
    return summary(*(e.TextAppended("i1", text) for text in texts))


class TestPreview:
    def test_it_is_the_beginning_of_the_latest_message(self) -> None:
        assert summary(e.PromptSent("p1", of_text("Fix it")), e.TextAppended("i1", "Done")).preview == "Done"
        assert summary(e.TextAppended("i1", "Done"), e.MessageReceived("i2", HELLO)).preview == "hello"

    def test_pieces_of_a_message_make_one_preview_word_for_word(self) -> None:
        assert pieces("Fix", "ing ", "it\n", "\nnow").preview == "Fixing it now"
        assert pieces("Fixing it\n\nnow").preview == "Fixing it now"

    def test_it_begins_where_there_is_something_to_see(self) -> None:
        assert pieces("", " \n", "  Hi").preview == "Hi"

    def test_it_is_short_however_long_the_message_is(self) -> None:
        assert pieces("x" * 100, "y" * 100, "z" * 100).preview == "x" * 100 + "y" * (PREVIEW - 100)

    def test_a_person_is_previewed_by_the_first_words(self) -> None:
        said = summary(e.PromptSent("p1", of_text("a" * 500)), e.PromptSent("p2", of_text("b")))

        assert said.first_message == "a" * FIRST_PREVIEW
        assert said.preview == "b"

    def test_what_an_agent_wrote_to_its_own_helper_is_no_first_message(self) -> None:
        assert summary(e.MessageSent("i1", HELLO, thread="side")).first_message is None
        assert summary(e.MessageSent("i1", HELLO)).first_message == "hello"


class TestCounts:
    def test_messages_of_people_and_of_the_agent_count_once(self) -> None:
        told = summary(
            e.PromptSent("p1", HELLO),
            e.TextAppended("i1", "One "),
            e.TextAppended("i1", "two"),
            e.MessageReceived("i2", HELLO),
            e.MessageSent("i3", HELLO),
        )

        assert told.messages == 4

    def test_a_message_that_goes_on_after_a_tool_is_the_same(self) -> None:
        assert summary(e.TextAppended("i1", "One"), e.TextAppended("i1#2", "two")).messages == 1

    def test_two_messages_told_at_the_same_time_are_two(self) -> None:
        told = summary(*(e.TextAppended(item, "more") for item in ("i1", "i2", "i1", "i2", "i1")))

        assert told.messages == 2

    def test_blank_text_and_everything_else_are_no_messages(self) -> None:
        told = summary(e.TextAppended("i1", " "), e.ThoughtAppended("i2", "hm"), e.NoticeAdded("i3", "injected", "x"))

        assert (told.messages, told.last_message_at) == (0, None)

    def test_tokens_of_messages_add_up_and_a_later_report_replaces_the_earlier(self) -> None:
        told = summary(
            e.UsageReported("message", "m1", 1, 2, 3, 4),
            e.UsageReported("message", "m2", 5),
            e.UsageReported("message", "m1", 2, 2, 3, 4),
        )

        assert told.tokens == 16

    def test_tokens_of_messages_without_a_name_add_up(self) -> None:
        assert summary(e.UsageReported("message", input=1), e.UsageReported("message", input=2)).tokens == 3

    def test_a_running_total_replaces_what_was_counted(self) -> None:
        told = summary(
            e.UsageReported("session", input=10), e.UsageReported("session", output=25), e.UsageReported("context")
        )

        assert told.tokens == 25


class TestTimes:
    def test_news_moves_it_and_looking_does_not(self) -> None:
        told = given(e.MessageReceived("i1", HELLO))
        looked = given(
            e.MessageReceived("i1", HELLO),
            e.ReadUpTo("owner", 2),
            e.MarkedUnread("owner"),
            e.SessionNotified("tray", "i1"),
        )

        assert told.summary.updated_at == START + SECOND
        assert looked.summary == told.summary

    def test_history_that_was_written_down_late_does_not_turn_time_back(self) -> None:
        session = given(e.HistoryGap("away")).after(recorded(e.MessageSent("i1", HELLO), 3, occurred_at=START - SECOND))

        assert session.summary.updated_at == START + SECOND

    def test_the_end_has_its_time(self) -> None:
        assert summary(e.SessionEnded("user")).ended_at == START + SECOND


class TestFacts:
    def test_where_it_came_from_is_kept(self) -> None:
        created = e.SessionCreated(
            "import", "owner", "target", "claude", "/srv/shop", imported_from="claude", model="large"
        )

        told = summarize(Summary(), recorded(created, occurred_at=7))

        assert told == Summary("import", "target", "claude", "/srv/shop", "large", "claude", 7, 7)

    def test_the_model_may_change(self) -> None:
        assert summary(e.InfoChanged("Theirs", "small")).model == "small"
        assert summary(e.InfoChanged("Theirs")).model is None


def test_erasing_leaves_what_a_rebuild_finds() -> None:
    full = given(e.PromptSent("p1", HELLO), e.UsageReported("session", input=3), e.SessionErased())
    gone = replay(*[e.Unknown("gone", 1, None)] * 3, e.SessionErased())

    at = START + 3 * SECOND
    assert full.summary == gone.summary == Summary(created_at=START, updated_at=at, ended_at=at)


def test_content_that_is_no_text_is_previewed_by_its_kind() -> None:
    assert summary(e.MessageReceived("i1", Raw(b'[{"type":"image"}]'))).preview == "[image]"
