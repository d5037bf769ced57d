// One believable task for the pictures: a timeout that is made configurable.
#pragma once

#include "tests/views_task/taskfixture.h"

namespace foundry {

inline QString shotMarkdown()
{
    return QStringLiteral(
        "I looked at how the client retries. There are **two** places that decide about the delay, and they disagree:\n\n"
        "| file | function | delay | cap |\n|---|---|--:|--:|\n"
        "| `net/retry.cpp` | `nextDelay` | 250 ms, doubled | 30 s |\n"
        "| `net/session.cpp` | `reconnect` | fixed 5 s | none |\n\n"
        "So I will keep `nextDelay` and let the session use it:\n\n"
        "```cpp\n// Full jitter: many clients that lost the same host must not come back together.\n"
        "std::chrono::milliseconds Backoff::nextDelay()\n{\n    const auto ceiling = std::min(m_cap, m_base * (1 << m_attempt));\n"
        "    m_attempt = std::min(m_attempt + 1, 16);\n    return m_random.between(m_base, ceiling);\n}\n```\n\n"
        "What is left:\n\n- [x] one backoff for both\n- [x] the cap comes from the settings\n- [ ] a test with a *fake* clock\n\n"
        "> The server closes idle sockets after 90 s, so a ping each 30 s is enough.\n\n"
        "See <https://example.org/backoff> for why full jitter.");
}

inline QList<TranscriptEntry> shotEntries()
{
    QList<TranscriptEntry> entries;
    entries << entryOf(EntryKind::UserMessage,
        QStringLiteral("The client hammers the server after an outage. Make the retry delay configurable and cap it at 30 s.\n"
                       "Keep the public API as it is."));
    entries << entryOf(EntryKind::AgentThought,
        QStringLiteral("The user wants a configurable delay. First find who decides about it, then look at the tests."));
    entries << toolEntry(QStringLiteral("search"), QStringLiteral("Search for `nextDelay|reconnect`"), QStringLiteral("completed"), 140);
    entries << toolEntry(QStringLiteral("read"), QStringLiteral("Read net/retry.cpp"), QStringLiteral("completed"), 32);
    entries << toolEntry(QStringLiteral("read"), QStringLiteral("Read net/session.cpp"), QStringLiteral("completed"), 28);
    ToolText read;
    read.text.text = QStringLiteral("#include \"net/session.h\"\n\nvoid Session::reconnect()\n{\n    QTimer::singleShot(5000, this, &Session::open);\n}\n");
    entries.last().tool->content.append(read);
    entries.last().tool->locations.append({QStringLiteral("net/session.cpp"), 1});
    entries << entryOf(EntryKind::AgentMessage, shotMarkdown());
    TranscriptEntry plan = entryOf(EntryKind::Plan, {});
    plan.plan = {{QStringLiteral("Find every place that waits before a retry"), {}, QStringLiteral("completed")},
        {QStringLiteral("Move the delay into one Backoff class"), {}, QStringLiteral("completed")},
        {QStringLiteral("Read the cap from the settings, 30 s unless told otherwise"), {}, QStringLiteral("in_progress")},
        {QStringLiteral("Test it with a fake clock"), {}, QStringLiteral("pending")}};
    entries << plan;
    TranscriptEntry edit = toolEntry(QStringLiteral("edit"), QStringLiteral("Edit net/session.cpp"), QStringLiteral("completed"), 61);
    ToolDiff diff;
    diff.path = QStringLiteral("net/session.cpp");
    diff.oldText = TextOrBlob{QStringLiteral("#include \"net/session.h\"\n\nvoid Session::reconnect()\n{\n    QTimer::singleShot(5000, this, &Session::open);\n}\n")};
    diff.newText = TextOrBlob{QStringLiteral("#include \"net/session.h\"\n\nvoid Session::reconnect()\n{\n    const auto delay = m_backoff.nextDelay();\n    QTimer::singleShot(delay, this, &Session::open);\n}\n")};
    edit.tool->content.append(diff);
    entries << edit;
    TranscriptEntry test = toolEntry(QStringLiteral("execute"), QStringLiteral("ctest --preset dev -R backoff"), QStringLiteral("failed"), 4210);
    ToolText output;
    output.text.text = QStringLiteral("Test project build/dev\n    Start 12: tst_backoff\n1/1 Test #12: tst_backoff ......***Failed    0.03 sec\n\n0% tests passed, 1 tests failed out of 1");
    test.tool->content.append(output);
    entries << test;
    entries << entryOf(EntryKind::AgentMessage, QStringLiteral("The test expects the old fixed delay. I will run it again after the change to the fixture."));
    return entries;
}

inline TranscriptEntry shotPermission(bool answered)
{
    TranscriptEntry entry = entryOf(EntryKind::Permission, {});
    PermissionAsk ask;
    ask.requestId = QStringLiteral("r1");
    ask.title = QStringLiteral("Run `ctest --preset dev -R backoff --output-on-failure`");
    ask.options = {{QStringLiteral("a1"), QStringLiteral("Allow once"), QStringLiteral("allow_once")},
        {QStringLiteral("a2"), QStringLiteral("Always allow ctest"), QStringLiteral("allow_always")},
        {QStringLiteral("r1"), QStringLiteral("Reject"), QStringLiteral("reject_once")}};
    if (answered)
        ask.answer = QStringLiteral("a1");
    entry.permission = ask;
    return entry;
}

inline QList<FileChange> shotChanges()
{
    return {changeOf(QStringLiteral("net/session.cpp"), QStringLiteral("M"), 24, 9),
        changeOf(QStringLiteral("net/retry.cpp"), QStringLiteral("M"), 61, 40, ChangeScope::Committed),
        changeOf(QStringLiteral("net/backoff.h"), QStringLiteral("A"), 38, 0, ChangeScope::Committed),
        changeOf(QStringLiteral("net/backoff.cpp"), QStringLiteral("A"), 57, 0, ChangeScope::Committed),
        changeOf(QStringLiteral("settings/network_settings_with_a_long_name.cpp"), QStringLiteral("M"), 12, 2, ChangeScope::Staged),
        changeOf(QStringLiteral("tests/net/tst_backoff.cpp"), QStringLiteral("A"), 143, 0, ChangeScope::Untracked),
        changeOf(QStringLiteral("net/oldtimer.h"), QStringLiteral("D"), 0, 22, ChangeScope::Committed)};
}

inline QString shotDiff()
{
    return QStringLiteral(
        "@@ -1,14 +1,17 @@\n #include \"net/session.h\"\n \n+#include \"net/backoff.h\"\n+\n #include <QTimer>\n \n namespace net {\n \n"
        "-void Session::reconnect()\n+void Session::reconnect(Reason reason)\n {\n"
        "-    QTimer::singleShot(5000, this, &Session::open);\n+    const auto delay = m_backoff.nextDelay();\n"
        "+    qCDebug(lcNet) << \"reconnecting in\" << delay << reason;\n+    QTimer::singleShot(delay, this, &Session::open);\n }\n \n"
        " // A socket that was silent for two pings is gone, whatever the system says.\n void Session::checkAlive()\n {\n"
        "@@ -48,9 +51,8 @@ void Session::opened()\n     m_state = State::Open;\n-    m_attempts = 0;\n+    m_backoff.reset();\n     Q_EMIT stateChanged(m_state);\n }\n \n-int Session::attempts() const { return m_attempts; }\n-\n+int Session::attempts() const { return m_backoff.attempts(); }\n } // namespace net\n\\ No newline at end of file\n");
}

} // namespace foundry
