// Sessions and turns beside the main job: questions, settings before there is an agent, prompts that are one, words that
// are found again, entries that stay as they are. Real agent processes.
#include "tests/backend_actors/domainharness.h"

#include "models/types/filecommands.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

using namespace foundry;
using foundry::test::DomainHarness;

class tst_Sessions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_host = std::make_unique<DomainHarness>();
        m_repository = m_host->git.makeRepository(QStringLiteral("project"));
        m_host->start();
        m_repo = m_host->addRepository(m_repository);
    }
    void cleanup() { m_host.reset(); }

    void questionIsAnswered();
    void questionEndsWithItsTurn();
    void questionIsTakenBack();
    void settingsBeforeThereIsAnAgent();
    void closedWhileBeingOpened();
    void agentsSideBySide();
    void takenUpOrAnew_data();
    void takenUpOrAnew();
    void cutTurnIsSentAgain();
    void promptsAreOnce();
    void wordsAreFound();
    void finalEntriesStay();

private:
    DomainHarness::Made createWith(const QString &mode, const QString &prompt)
    {
        const AgentId agent = m_host->addScriptedAgent(mode);
        return m_host->createTask(m_repo, prompt, [&](CreateTask &task) { task.agent = agent; });
    }
    QList<Attention> attention() { return m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")); }
    Result<QByteArray> send(const DomainHarness::Made &made, const QString &text, const QueueId &id = makeId<QueueId>())
    {
        SendMessage message;
        message.queueId = id;
        message.sessionId = made.session;
        message.prompt.text = text;
        return m_host->command(made.address, QStringLiteral("sendMessage"), message);
    }
    Result<TranscriptHits> search(const DomainHarness::Made &made, const QString &query, std::optional<SessionId> session = {})
    {
        auto answer = m_host->call(made.address, QStringLiteral("searchTranscript"), protocol::encodeArgs(SearchTranscript{session, query, 50}));
        return answer ? protocol::decodeValue<TranscriptHits>(*answer) : Result<TranscriptHits>(answer.error());
    }
    qsizetype turnEnds(const DomainHarness::Made &made)
    {
        const auto entries = m_host->transcript(made.address, made.session);
        return std::count_if(entries.begin(), entries.end(), [](const TranscriptEntry &entry) { return entry.kind == EntryKind::TurnEnd; });
    }

    std::unique_ptr<DomainHarness> m_host;
    QString m_repository;
    RepoId m_repo;
};

void tst_Sessions::questionIsAnswered()
{
    const auto made = createWith(QStringLiteral("question"), QStringLiteral("build"));
    QTRY_COMPARE_WITH_TIMEOUT(attention().size(), 1, 20000);
    const Attention asked = attention().constFirst();
    QCOMPARE(asked.reason.text(), QStringLiteral("question"));
    QCOMPARE(asked.title, QStringLiteral("How shall it be built?"));
    const auto entries = m_host->transcript(made.address, made.session);
    const TranscriptEntry &entry = entries.at(asked.entryIndex.value());
    QCOMPARE(entry.kind.text(), QStringLiteral("question"));
    QVERIFY(entry.question && !entry.question->answer && entry.question->fields.size() == 6);

    AnswerQuestion answer;
    answer.sessionId = made.session;
    answer.questionRequestId = *asked.requestId;
    answer.answer = QStringLiteral("accept");
    answer.values = {{QStringLiteral("branch"), QStringLiteral("main")}, {QStringLiteral("jobs"), QStringLiteral("many")}};
    const auto refused = m_host->command(made.address, QStringLiteral("answerQuestion"), answer);
    QVERIFY(!refused && refused.error().is(QLatin1StringView("input"), QLatin1StringView("invalid")));
    QCOMPARE(refused.error().detail, QStringLiteral("jobs"));
    answer.answer = QStringLiteral("perhaps");
    QCOMPARE(m_host->command(made.address, QStringLiteral("answerQuestion"), answer).error().detail, QStringLiteral("answer"));
    QCOMPARE(attention().size(), 1);

    answer.answer = QStringLiteral("accept");
    answer.values.insert(QStringLiteral("jobs"), QStringLiteral("3"));
    QVERIFY(m_host->command(made.address, QStringLiteral("answerQuestion"), answer).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_VERIFY(attention().isEmpty());
    QString said;
    for (const TranscriptEntry &one : m_host->transcript(made.address, made.session)) {
        if (one.kind == EntryKind::AgentMessage)
            said += one.text;
        if (one.question) {
            QCOMPARE(one.index, entry.index); // the answer stands where it was asked, and nowhere else
            QCOMPARE(one.question->answer.value_or(QString()), QStringLiteral("accept"));
            QCOMPARE(one.question->values.value(QStringLiteral("jobs")), QStringLiteral("3"));
            QCOMPARE(one.question->answeredBy.value_or(QString()), QStringLiteral("local"));
        }
    }
    const QJsonObject content = QJsonDocument::fromJson(said.toUtf8()).object().value(QLatin1StringView("content")).toObject();
    QVERIFY2(content.value(QLatin1StringView("jobs")).isDouble(), qPrintable(said));
    QCOMPARE(m_host->command(made.address, QStringLiteral("answerQuestion"), answer).error().key(), QStringLiteral("state.conflict"));
}

void tst_Sessions::questionEndsWithItsTurn()
{
    const auto made = createWith(QStringLiteral("question"), QStringLiteral("build"));
    QTRY_COMPARE_WITH_TIMEOUT(attention().size(), 1, 20000);
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelTurn"), CancelTurn{{}, made.session}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_VERIFY(attention().isEmpty());
    for (const TranscriptEntry &one : m_host->transcript(made.address, made.session)) {
        if (one.question)
            QCOMPARE(one.question->answer.value_or(QString()), QStringLiteral("cancel"));
    }
}

void tst_Sessions::questionIsTakenBack()
{
    const auto made = createWith(QStringLiteral("questionurl"), QStringLiteral("done"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_VERIFY(attention().isEmpty());
    int questions = 0;
    for (const TranscriptEntry &one : m_host->transcript(made.address, made.session)) {
        if (!one.question)
            continue;
        ++questions;
        QCOMPARE(one.question->url.value_or(QString()), QStringLiteral("https://example.org/login"));
        QCOMPARE(one.question->answer.value_or(QString()), QStringLiteral("accept"));
        QVERIFY(!one.question->answeredBy);
    }
    QCOMPARE(questions, 1);
}

// What is set of a session that is not there yet is kept, applied when it is, and again after a restart; usage stays.
void tst_Sessions::settingsBeforeThereIsAnAgent()
{
    const auto made = createWith(QStringLiteral("options"), QString());
    const auto set = [&](const char *action, auto command) { return m_host->command(made.address, QString::fromLatin1(action), command).ok(); };
    QVERIFY(set("setModel", SetModel{{}, made.session, QStringLiteral("m2")}));
    QVERIFY(set("setMode", SetMode{{}, made.session, QStringLiteral("default")}));
    QVERIFY(set("setOption", SetOption{{}, made.session, QStringLiteral("effort"), QStringLiteral("high")}));
    QVERIFY(set("renameSession", RenameSession{{}, made.session, QStringLiteral("Named early")}));
    QVERIFY(!set("setOption", SetOption{{}, made.session, QString(), QStringLiteral("high")}));
    QVERIFY(send(made, QStringLiteral("what?")).ok());
    const auto said = [&] {
        QString text;
        for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
            if (entry.kind == EntryKind::AgentMessage)
                text = entry.text;
        }
        return text;
    };
    const QString all = QStringLiteral("model=m2 mode=default effort=high");
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 1, 20000);
    QCOMPARE(said(), all);
    const Session row = *m_host->session(made.address, made.session);
    QCOMPARE(row.name, QStringLiteral("Named early"));
    QCOMPARE(row.model.value_or(QString()), QStringLiteral("m2"));
    QCOMPARE(row.usage.value_or(Usage{}).contextSize.value_or(0), 1000);
    for (const SessionOption &option : row.options) {
        if (option.id == QLatin1StringView("effort"))
            QCOMPARE(option.currentValue, QStringLiteral("high"));
    }
    // While it is live, and then in a process that knows nothing of it.
    QVERIFY(set("setOption", SetOption{{}, made.session, QStringLiteral("effort"), QStringLiteral("low")}));
    QVERIFY(send(made, QStringLiteral("what?")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 2, 20000);
    QCOMPARE(said(), QStringLiteral("model=m2 mode=default effort=low"));
    DomainHarness::Made second = made;
    second.session = makeId<SessionId>();
    m_host->stop();
    m_host->start();
    QCOMPARE(m_host->session(made.address, made.session)->usage.value_or(Usage{}).contextUsed.value_or(0), 500);
    QVERIFY(send(made, QStringLiteral("what?")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 3, 20000);
    CreateSession create;
    create.sessionId = second.session;
    create.model = QStringLiteral("m1");
    QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), create).ok());
    QVERIFY(send(second, QStringLiteral("what?")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(second), 1, 20000);
}

// A session that is closed before its agent has answered is put away when it has; the next one gets an agent that stays.
void tst_Sessions::closedWhileBeingOpened()
{
    const auto made = createWith(QStringLiteral("ok"), QString());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Ready));
    for (int i = 0; i < 5; ++i) {
        DomainHarness::Made next = made;
        next.session = makeId<SessionId>();
        QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), CreateSession{{}, next.session, {}, {}, {}}).ok());
        if (i % 2)
            QTest::qWait(5 * i);
        QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, next.session}).ok());
    }
    // All gone at once, and anew at once: the old process is leaving.
    QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, made.session}).ok());
    DomainHarness::Made last = made;
    last.session = makeId<SessionId>();
    QVERIFY(m_host->command(made.address, QStringLiteral("createSession"), CreateSession{{}, last.session, {}, {}, {}}).ok());
    QVERIFY(send(last, QStringLiteral("hello")).ok());
    QVERIFY(m_host->waitForStatus(last, SessionStatus::Idle));
    QCOMPARE(turnEnds(last), 1);
}

// Many sessions at the same time: two in one process, one in another; one agent dies and the others go on.
void tst_Sessions::agentsSideBySide()
{
    const auto first = createWith(QStringLiteral("slow"), QStringLiteral("one"));
    DomainHarness::Made second = first;
    second.session = makeId<SessionId>();
    DomainHarness::Made other = first;
    other.session = makeId<SessionId>();
    CreateSession create;
    create.sessionId = second.session;
    QVERIFY(m_host->command(first.address, QStringLiteral("createSession"), create).ok());
    create.sessionId = other.session;
    create.agent = m_host->addScriptedAgent(QStringLiteral("crash"));
    QVERIFY(m_host->command(first.address, QStringLiteral("createSession"), create).ok());
    QVERIFY(send(second, QStringLiteral("two")).ok());
    QVERIFY(send(other, QStringLiteral("three")).ok());
    const auto stop = [&](const SessionId &session) {
        QString reason;
        for (const TranscriptEntry &entry : m_host->transcript(first.address, session))
            reason = entry.turnEnd ? entry.turnEnd->stopReason : reason;
        return reason;
    };
    QTRY_COMPARE_WITH_TIMEOUT(stop(other.session), QStringLiteral("error"), 30000);
    QTRY_COMPARE_WITH_TIMEOUT(stop(first.session), QStringLiteral("end_turn"), 30000);
    QTRY_COMPARE_WITH_TIMEOUT(stop(second.session), QStringLiteral("end_turn"), 30000);
    // A failed session can still be named, sent to and closed.
    QVERIFY(m_host->command(first.address, QStringLiteral("renameSession"), RenameSession{{}, other.session, QStringLiteral("Crashed")}).ok());
    QVERIFY(send(other, QStringLiteral("again")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(other), 2, 20000);
    QVERIFY(m_host->command(first.address, QStringLiteral("closeSession"), CloseSession{{}, other.session}).ok());
    QVERIFY(m_host->session(first.address, other.session)->closedAt.has_value());
}

// After a restart the conversation goes on where the agent can, and the transcript says which it was.
void tst_Sessions::takenUpOrAnew_data()
{
    QTest::addColumn<QString>("mode");
    QTest::addColumn<QString>("says");
    QTest::newRow("load") << QStringLiteral("ok") << QStringLiteral("has taken up this conversation");
    QTest::newRow("resume") << QStringLiteral("resuming") << QStringLiteral("has taken up this conversation");
    QTest::newRow("it has lost it") << QStringLiteral("lost") << QStringLiteral("knows nothing of what was said above");
    QTest::newRow("anew") << QStringLiteral("forgetful") << QStringLiteral("knows nothing of what was said above");
}
void tst_Sessions::takenUpOrAnew()
{
    QFETCH(QString, mode);
    QFETCH(QString, says);
    const auto made = createWith(mode, QStringLiteral("one"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    m_host->stop();
    m_host->start();
    QVERIFY(send(made, QStringLiteral("two")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 2, 20000);
    int notices = 0;
    for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
        QVERIFY(!entry.text.contains(QStringLiteral("earlier answer"))); // its replay is in the transcript already
        notices += entry.kind == EntryKind::Notice && entry.text.contains(says) ? 1 : 0;
    }
    QCOMPARE(notices, 1);
}

// Stopped in the middle: said, held, and sent again by one command, before what waits.
void tst_Sessions::cutTurnIsSentAgain()
{
    const auto made = createWith(QStringLiteral("mute"), QStringLiteral("first"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Running));
    QVERIFY(send(made, QStringLiteral("second")).ok());
    m_host->stop();
    m_host->start();
    QTRY_VERIFY_WITH_TIMEOUT(m_host->session(made.address, made.session)->interrupted, 20000);
    const auto prompts = [&] {
        QStringList texts;
        for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
            if (entry.kind == EntryKind::UserMessage)
                texts.append(entry.text);
        }
        return texts;
    };
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(prompts(), QStringList(QStringLiteral("first")));
    QCOMPARE(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).size(), 1);
    QVERIFY(m_host->command(made.address, QStringLiteral("resendInterrupted"), ResendInterrupted{{}, made.session}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Running));
    QCOMPARE(prompts(), (QStringList{QStringLiteral("first"), QStringLiteral("first")}));
    QVERIFY(!m_host->session(made.address, made.session)->interrupted);
    QVERIFY(!m_host->command(made.address, QStringLiteral("resendInterrupted"), ResendInterrupted{{}, made.session}).ok());
    // The one that waits can be edited and dropped while a turn runs, and the turn cancelled.
    const QueueId waiting = m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).first().id;
    QVERIFY(m_host->command(made.address, QStringLiteral("editQueued"), EditQueued{{}, waiting, Prompt{QStringLiteral("edited")}}).ok());
    QVERIFY(m_host->command(made.address, QStringLiteral("dropQueued"), DropQueued{{}, waiting}).ok());
    QVERIFY(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).isEmpty());
    QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, made.session}).ok());
}

// One id is one prompt, however often and with whatever request it is sent.
void tst_Sessions::promptsAreOnce()
{
    const auto made = createWith(QStringLiteral("ok"), QString());
    const QueueId id = makeId<QueueId>();
    QVERIFY(send(made, QStringLiteral("hello"), id).ok());
    const auto other = send(made, QStringLiteral("other words"), id);
    QVERIFY(!other.ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QTRY_COMPARE(turnEnds(made), 1);
    const auto again = send(made, QStringLiteral("hello"), id);
    QVERIFY(!again && again.error().is(QLatin1StringView("state"), QLatin1StringView("conflict")));
    QVERIFY(send(made, QStringLiteral("second"), makeId<QueueId>()).ok());
    QTRY_COMPARE(turnEnds(made), 2);

    GetTranscript asked;
    asked.sessionId = made.session;
    asked.limit = 1;
    const auto prompts = [&] {
        auto answer = m_host->call(made.address, QStringLiteral("listPrompts"), protocol::encodeArgs(asked));
        return answer ? QJsonDocument::fromJson(*answer).object().value(QLatin1StringView("prompts")).toArray() : QJsonArray();
    };
    QCOMPARE(prompts().size(), 1);
    QCOMPARE(prompts().first().toObject().value(QLatin1StringView("text")).toString(), QStringLiteral("second"));
    asked.before = prompts().first().toObject().value(QLatin1StringView("index")).toInteger();
    QCOMPARE(prompts().first().toObject().value(QLatin1StringView("text")).toString(), QStringLiteral("hello"));
    asked.before.reset();
    asked.after = 0;
    QCOMPARE(prompts().first().toObject().value(QLatin1StringView("text")).toString(), QStringLiteral("second"));
}

void tst_Sessions::wordsAreFound()
{
    const auto made = createWith(QStringLiteral("ok"), QStringLiteral("The Prüfung linker of all\nsaid “undefined reference”"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QVERIFY(send(made, QStringLiteral("Another linker")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 2, 20000);

    // The scripted agent repeats what it hears: prompt and answer, newest first.
    auto hits = search(made, QStringLiteral("linker"));
    QVERIFY(hits.ok());
    QCOMPARE(hits->hits.size(), 4);
    QVERIFY(hits->hits.first().index > hits->hits.last().index);
    QCOMPARE(hits->hits.last().kind, QStringLiteral("user_message"));
    QVERIFY(hits->hits.last().snippet.contains(QStringLiteral("linker of all said")));
    QVERIFY(!hits->truncated);
    QCOMPARE(search(made, QStringLiteral("PRUFUNG link"))->hits.size(), 2); // without case and accents, the last word goes on
    QCOMPARE(search(made, QStringLiteral("prüf"))->hits.size(), 2);
    QCOMPARE(search(made, QStringLiteral("\"undefined reference\""))->hits.size(), 2);
    QCOMPARE(search(made, QStringLiteral("\"reference undefined\""))->hits.size(), 0);
    QCOMPARE(search(made, QStringLiteral("reference undefined"))->hits.size(), 2);
    QCOMPARE(search(made, QStringLiteral("nowhere linker"))->hits.size(), 0);
    QCOMPARE(search(made, QStringLiteral("linker"), made.session)->hits.size(), 4);
    for (const char *odd : {"linker OR NOT (", "a\"b", "linker*", "NEAR(linker)", "text: linker", "'; DROP TABLE rows"})
        QVERIFY2(search(made, QString::fromUtf8(odd)).ok(), odd);
    QCOMPARE(search(made, QStringLiteral(" \"*\" "))
                 .error()
                 .key(),
        QStringLiteral("input.invalid"));
    QVERIFY(!search(made, QStringLiteral("linker"), SessionId(QStringLiteral("none"))).ok());

    // It survives a restart, and takes up what comes after it.
    m_host->stop();
    m_host->start();
    QCOMPARE(search(made, QStringLiteral("linker"))->hits.size(), 4);
}

// 05-4: when a turn has ended, none of its entries is written again, whatever happens later.
void tst_Sessions::finalEntriesStay()
{
    const auto made = createWith(QStringLiteral("toolupdates"), QStringLiteral("one"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QHash<qint64, TranscriptEntry> final;
    const auto keep = [&] {
        for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
            if (!final.contains(entry.index))
                final.insert(entry.index, entry);
        }
    };
    const auto unchanged = [&] {
        qsizetype seen = 0;
        for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
            const auto known = final.constFind(entry.index);
            if (known == final.cend())
                continue;
            ++seen;
            if (!(entry == *known) || entry.rev != known->rev)
                return false;
        }
        return seen == final.size();
    };
    keep();
    // The next turn's calls have the same ids.
    QVERIFY(send(made, QStringLiteral("two")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 2, 20000);
    QVERIFY(unchanged());
    keep();
    m_host->stop();
    m_host->start();
    QVERIFY(send(made, QStringLiteral("three")).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 3, 20000);
    QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, made.session}).ok());
    QVERIFY(unchanged());
    QVERIFY(final.size() >= 10);
}

QTEST_GUILESS_MAIN(tst_Sessions)
#include "tst_sessions.moc"
