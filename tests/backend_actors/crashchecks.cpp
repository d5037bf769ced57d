// What the crash walk looks at when a script is over: nothing lost, nothing doubled, all of it readable.
#include "backend/store/database.h"
#include "tests/backend_actors/crashrun.h"

#include <QDir>
#include <QFile>
#include <QTest>

namespace foundry::test {

// Living, and no zombie that waits for the test's fence.
bool CrashRun::lives(qint64 pid)
{
    QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!stat.open(QIODevice::ReadOnly))
        return false;
    const QByteArray text = stat.readAll();
    return text.mid(text.lastIndexOf(')') + 2, 1) != "Z";
}

void CrashRun::verify()
{
    checkRows();
    checkTranscript(m_ids.session, "ok", {{QStringLiteral("first"), QStringLiteral("end_turn")}, {QStringLiteral("second"), QStringLiteral("end_turn")}});
    checkTranscript(m_second, "permission", {{QStringLiteral("third"), QStringLiteral("end_turn")}, {QStringLiteral("fourth"), QStringLiteral("cancelled")}});
    checkProcesses();
    checkRepository();
}

void CrashRun::check(bool ok, const QString &what)
{
    if (!ok)
        m_wrong.append(what);
}

void CrashRun::readTranscript(const SessionId &session)
{
    auto page = task() ? task()->call(QStringLiteral("getTranscript"), protocol::encodeArgs(GetTranscript{session, {}, {}, 500})) : Result<QByteArray>(QByteArray());
    if (!page)
        return;
    if (auto read = protocol::decodeValue<TranscriptPage>(*page))
        m_transcripts.insert(session.value, read->entries);
}

void CrashRun::checkTranscript(const SessionId &session, const char *mode, const QMap<QString, QString> &ends)
{
    QMap<QString, QStringList> turns; // prompt → how its turns ended
    QString prompt;
    bool answered = false;
    QStringList silent; // ended well, and nothing stands between
    for (const TranscriptEntry &entry : m_transcripts.value(session.value)) {
        if (entry.kind == EntryKind::UserMessage) {
            check(prompt.isEmpty(), QStringLiteral("a turn of “%1” has no end").arg(prompt));
            prompt = entry.text;
            answered = false;
        } else if (entry.kind == EntryKind::AgentMessage || entry.kind == EntryKind::Permission || entry.kind == EntryKind::Question) {
            answered = true;
        } else if (entry.kind == EntryKind::Notice && !silent.isEmpty()) {
            silent.removeLast(); // it says so
        } else if (entry.kind == EntryKind::TurnEnd && entry.turnEnd) {
            turns[prompt].append(entry.turnEnd->stopReason);
            if (!answered && entry.turnEnd->stopReason == QLatin1StringView("end_turn"))
                silent.append(prompt);
            prompt.clear();
        }
    }
    const QByteArray journal = m_git.read(m_git.root(), QStringLiteral("journal-") + QString::fromLatin1(mode));
    check(silent.isEmpty(), QStringLiteral("what the agent said to “%1” is lost, and nothing says so").arg(silent.join(QLatin1Char(' '))));
    const QStringList begun = turns.keys();
    const QStringList ended = ends.keys();
    check(begun == ended, QStringLiteral("the prompts are %1").arg(begun.join(QLatin1Char(' '))));
    for (auto it = ends.begin(); it != ends.end(); ++it) {
        QStringList had = turns.value(it.key());
        const QString last = had.isEmpty() ? QString() : had.takeLast();
        check(last == it.value(), QStringLiteral("“%1” ended %2").arg(it.key(), last));
        check(had.count(QStringLiteral("interrupted")) == had.size(), QStringLiteral("“%1” ended before as %2").arg(it.key(), had.join(QLatin1Char(' '))));
        check(m_hit || had.isEmpty(), QStringLiteral("“%1” was cut without a crash").arg(it.key()));
        check(had.size() <= 1, QStringLiteral("“%1” was cut more than once").arg(it.key()));
        const qsizetype delivered = journal.count(" prompt " + it.key().toUtf8() + '\n');
        check(delivered >= 1 && delivered <= 1 + had.size(),
            QStringLiteral("“%1” was delivered %2 times in %3 turns").arg(it.key()).arg(delivered).arg(had.size() + 1));
    }
}

void CrashRun::checkRows()
{
    for (const Stage &stage : rowsOf<Stage>(*task(), QStringLiteral("task")))
        check(stage.state == StageState::Done || stage.state == StageState::Skipped, QStringLiteral("stage %1 is %2").arg(stage.id, stage.state.text()));
    check(rowsOf<Attention>(*organization(), QStringLiteral("organization")).isEmpty(), QStringLiteral("something wants attention"));
    check(rowsOf<Session>(*task(), QStringLiteral("task")).size() == 2, QStringLiteral("not two sessions"));
    check(rowsOf<QueuedPrompt>(*task(), QStringLiteral("task")).isEmpty(), QStringLiteral("a prompt waits"));
}

// Living ones in the work tree, and in `opened` how often each process opened a session there.
QList<qint64> CrashRun::processesOf(const char *mode, QMap<qint64, int> *opened) const
{
    QList<qint64> living;
    QMap<qint64, int> found;
    for (const QByteArray &line : m_git.read(m_git.root(), QStringLiteral("journal-%1").arg(QString::fromLatin1(mode))).split('\n')) {
        if ((line.contains(" new ") || line.contains(" load ")) && line.contains("/worktrees/"))
            ++found[line.left(line.indexOf(' ')).toLongLong()];
    }
    for (auto it = found.begin(); it != found.end(); ++it) {
        if (lives(it.key()))
            living.append(it.key());
    }
    if (opened)
        *opened = found;
    return living;
}

void CrashRun::checkProcesses()
{
    for (const char *mode : {"ok", "permission"}) {
        QMap<qint64, int> opened;
        const qsizetype living = processesOf(mode, &opened).size();
        for (auto it = opened.begin(); it != opened.end(); ++it)
            check(it.value() == 1, QStringLiteral("process %1 opened its session %2 times").arg(it.key()).arg(it.value()));
        // The second session is closed; after a restart an idle session's agent comes back with its next prompt.
        const qsizetype wanted = qstrcmp(mode, "ok") == 0 ? 1 : 0;
        check(living == wanted || (m_hit && living == 0), QStringLiteral("%1 processes of the agent “%2”").arg(living).arg(QString::fromLatin1(mode)));
        check(opened.size() <= (m_hit ? 3 : 1), QStringLiteral("the agent “%1” was started %2 times").arg(QString::fromLatin1(mode)).arg(opened.size()));
    }
}

void CrashRun::checkRepository()
{
    const QByteArray trees = m_git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain")});
    check(trees.count("worktree ") == 2 && !trees.contains("prunable"), QStringLiteral("the work trees are %1").arg(QString::fromUtf8(trees)));
    const QByteArray branches = m_git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("--list"), QStringLiteral("--format=%(refname:short)")});
    check(branches.count('\n') == 2, QStringLiteral("the branches are %1").arg(QString::fromUtf8(branches)));
}

void CrashRun::checkDatabases()
{
    QStringList files;
    const QDir data(m_git.path(QStringLiteral("data")));
    for (const QString &name : QDir(data.filePath(QStringLiteral("actors"))).entryList({QStringLiteral("*.sqlite")}, QDir::Files))
        files.append(data.filePath(QStringLiteral("actors/") + name));
    for (const QString &name : data.entryList({QStringLiteral("*.sqlite")}, QDir::Files))
        files.append(data.filePath(name));
    check(files.size() >= 4, QStringLiteral("only %1 databases").arg(files.size()));
    check(data.entryList({QStringLiteral("*damaged*"), QStringLiteral("*corrupt*")}, QDir::Files).isEmpty(), QStringLiteral("a database was set aside"));
    for (const QString &file : std::as_const(files)) {
        auto database = backend::Database::open(file);
        if (!database || !(*database)->setAside().isEmpty()) {
            check(false, QStringLiteral("%1 cannot be opened").arg(file));
            continue;
        }
        auto q = (*database)->query("PRAGMA integrity_check");
        check(q.next() && q.text(0) == QLatin1StringView("ok"), QStringLiteral("%1 is damaged").arg(file));
        auto hasOutbox = (*database)->query("SELECT 1 FROM sqlite_master WHERE name = 'outbox'");
        if (!hasOutbox.next())
            continue;
        auto waiting = (*database)->query("SELECT count(*), min(name) FROM outbox");
        check(waiting.next() && waiting.integer(0) == 0, QStringLiteral("%1 sends are left, e.g. %2").arg(waiting.integer(0)).arg(waiting.text(1)));
    }
}

QMap<QString, QString> CrashRun::names() const
{
    return {{m_ids.repo.value, QStringLiteral("repository")}, {m_ids.task.value, QStringLiteral("task")}, {m_ids.session.value, QStringLiteral("first")}, {m_second.value, QStringLiteral("second")}};
}

void CrashRun::readAudit()
{
    m_audited.clear();
    m_doubled.clear();
    QSet<QString> attempts; // of stages, each ends once
    wire::WireClient client(m_host->endpoint(), m_host->token());
    if (!client.open(QStringLiteral("audit-log"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("audit-log")}))
        return;
    const auto known = names();
    for (ListAudit asked;;) {
        auto answer = client.call(QStringLiteral("list"), protocol::encodeArgs(asked));
        const auto page = answer ? protocol::decodeValue<AuditPage>(*answer) : Result<AuditPage>(answer.error());
        if (!page)
            return;
        for (const AuditEvent &event : page->events) {
            QString key = event.kind + QLatin1Char(' ') + event.taskId.value_or(TaskId()).value;
            for (const char *what : {"agent", "session", "stage", "error", "name"})
                key += QLatin1Char(' ') + event.payload.value(QString::fromLatin1(what));
            for (auto it = known.cbegin(); it != known.cend(); ++it)
                key.replace(it.key(), it.value());
            key = key.simplified();
            ++m_audited[key];
            const QString attempt = key + QLatin1Char(' ') + event.payload.value(QStringLiteral("attempt"));
            if (event.payload.contains(QStringLiteral("stage")) && attempts.contains(attempt))
                m_doubled.append(attempt);
            attempts.insert(attempt);
        }
        if (!page->next)
            return;
        asked.before = page->next;
    }
}

// Each thing that was done is told once, whenever the host was killed. What the user did again after a cut is told again.
void CrashRun::checkAudit()
{
    static const QStringList ofTurns{QStringLiteral("prompt_sent"), QStringLiteral("permission_answered"), QStringLiteral("question_answered"), QStringLiteral("turn_cancelled")};
    const auto differences = [this] {
        QStringList found;
        QSet<QString> keys;
        for (const auto &map : {m_audited, m_expected})
            keys.unite(QSet<QString>(map.keyBegin(), map.keyEnd()));
        for (const QString &key : std::as_const(keys)) {
            const int wanted = m_expected.value(key);
            const QString kind = key.section(QLatin1Char(' '), 0, 0);
            // An agent that went with the host is started again: another attempt, and one more for what follows it.
            const int more = !m_hit ? 0 : ofTurns.contains(kind) ? m_resends + 1 : kind == QLatin1StringView("stage_done") ? 2 : 0;
            if (m_audited.value(key) < wanted || m_audited.value(key) > wanted + more)
                found.append(QStringLiteral("“%1” %2 times and not %3").arg(key).arg(m_audited.value(key)).arg(wanted));
        }
        return found;
    };
    // Told by sends: they may be on their way.
    QElapsedTimer clock;
    clock.start();
    do {
        readAudit();
        if (m_expected.isEmpty() || differences().isEmpty())
            break;
        QTest::qWait(20);
    } while (clock.elapsed() < 2000);
    check(m_doubled.isEmpty(), QStringLiteral("told twice: ") + m_doubled.join(QStringLiteral("; ")));
    if (m_expected.isEmpty())
        return;
    check(differences().isEmpty(), QStringLiteral("the audit log tells ") + differences().join(QStringLiteral("; ")));
}

} // namespace foundry::test
