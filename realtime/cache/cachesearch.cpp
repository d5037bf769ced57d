#include "realtime/cache/cachesearch.h"

#include "realtime/cache/cachetopics.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/keys.h"

#include <QRegularExpression>

namespace foundry::realtime {

namespace {

// Of a long text the beginning is found; an index of everything would be larger than the cache.
constexpr qsizetype cachesearchLongest = 64 * 1024;

const QRegularExpression &cachesearchGap()
{
    static const QRegularExpression gap(QStringLiteral("[^\\p{L}\\p{N}]+"));
    return gap;
}

QStringList cachesearchWords(const QString &text)
{
    return text.split(cachesearchGap(), Qt::SkipEmptyParts);
}

QString cachesearchTextOf(const Prompt &prompt)
{
    return prompt.blobId ? QString() : prompt.text;
}

struct TextVisitor {
    QString &title;
    QString &body;

    void operator()(const TaskSummary &task)
    {
        title = task.title;
        body = task.branch;
    }
    void operator()(const DeletedTask &) { }
    void operator()(const Repository &repository)
    {
        title = repository.name;
        body = repository.origin;
    }
    void operator()(const Session &session) { title = session.name; }
    void operator()(const QueuedPrompt &queued) { body = cachesearchTextOf(queued.prompt); }
    void operator()(const FileChange &file) { title = file.path; }
    void operator()(const FileNode &file) { title = file.path; }
    void operator()(const Process &process) { title = (QStringList(process.command) + process.args).join(QLatin1Char(' ')); }
    void operator()(const TranscriptEntry &entry)
    {
        QStringList texts{entry.text};
        if (entry.tool) {
            title = entry.tool->title;
            for (const ToolLocation &location : entry.tool->locations)
                texts << location.path;
        }
        for (const PlanEntry &step : entry.plan)
            texts << step.content;
        if (entry.question)
            texts << entry.question->message;
        if (entry.error)
            texts << entry.error->message;
        texts.removeAll(QString());
        body = texts.join(QLatin1Char('\n'));
    }
    template <class T>
    void operator()(const T &)
    {
    }
};

bool cachesearchHolds(const QString &line, const QStringList &words)
{
    const QStringList there = cachesearchWords(line);
    return std::all_of(words.cbegin(), words.cend(), [&there](const QString &word) {
        return std::any_of(there.cbegin(), there.cend(),
            [&word](const QString &one) { return one.startsWith(word, Qt::CaseInsensitive); });
    });
}

} // namespace

QString CacheSearch::matchOf(const QString &text)
{
    QStringList terms;
    for (const QString &word : cachesearchWords(text))
        terms << QLatin1Char('"') + word + QStringLiteral("\"*");
    return terms.join(QLatin1Char(' '));
}

std::optional<CacheSearch::Text> CacheSearch::textOf(qint64 document)
{
    Text text;
    const qint64 doc = document / 4;
    if (document % 4 == 2) {
        SqlQuery kept = m_file.query("SELECT names FROM kept WHERE doc = ?", doc);
        if (!kept.next())
            return std::nullopt;
        text.body = kept.text(0);
    } else {
        const bool isEntry = document % 4 == 1;
        SqlQuery row = isEntry ? m_file.query("SELECT type, idx, value FROM entries WHERE doc = ?", doc)
                               : m_file.query("SELECT type, id, value FROM rows WHERE doc = ?", doc);
        if (!row.next())
            return std::nullopt;
        auto entity = protocol::decodeEntity(row.text(0), row.text(1), {}, row.bytes(2));
        if (!entity)
            return std::nullopt;
        if (auto *entry = std::get_if<TranscriptEntry>(&*entity))
            *entry = CacheTopics::entryWithText(m_file, std::move(*entry), doc);
        std::visit(TextVisitor{text.title, text.body}, *entity);
    }
    text.body.truncate(cachesearchLongest);
    if (text.title.isEmpty() && text.body.isEmpty())
        return std::nullopt;
    return text;
}

bool CacheSearch::indexSome(int count)
{
    if (m_file.number("SELECT count(*) FROM (SELECT 1 FROM stale LIMIT 1)") == 0 || !m_file.begin())
        return false;
    QList<qint64> documents;
    {
        SqlQuery stale = m_file.query("SELECT document FROM stale LIMIT ?", count);
        while (stale.next())
            documents << stale.integer(0);
    }
    for (const qint64 document : std::as_const(documents)) {
        const auto text = textOf(document);
        bool same = false;
        bool known = false;
        {
            SqlQuery present = m_file.query("SELECT title, body FROM search WHERE rowid = ?", document);
            known = present.next();
            same = known && text && present.text(0) == text->title && present.text(1) == text->body;
        }
        if (!same) { // a status that changed is no new text
            if (known)
                m_file.run("DELETE FROM search WHERE rowid = ?", document);
            if (text)
                m_file.run("INSERT INTO search(rowid, title, body) VALUES(?, ?, ?)", document, text->title, text->body);
        }
        m_file.run("DELETE FROM stale WHERE document = ?", document);
    }
    return m_file.commit() && documents.size() == count;
}

CacheHits CacheSearch::find(const QString &text, int limit, const std::function<bool()> &stop)
{
    CacheHits hits;
    const QString match = matchOf(text);
    if (match.isEmpty() || limit <= 0)
        return hits;
    m_file.setInterrupt(stop);
    {
        // Names weigh more than what was said; between equals the newer document is first.
        SqlQuery found = m_file.query("SELECT rowid, snippet(search, 1, '', '', '…', 16) FROM search WHERE search MATCH ? "
                                      "ORDER BY bm25(search, 8.0, 1.0), rowid DESC LIMIT ?",
            match, limit + 1);
        while (found.next())
            addHits(hits, found.integer(0), found.text(1), cachesearchWords(text), limit);
        hits.cut = hits.cut || !found.ok();
    }
    m_file.setInterrupt(nullptr);
    return hits;
}

void CacheSearch::addHits(CacheHits &hits, qint64 document, const QString &snippet, const QStringList &words, int limit)
{
    const auto add = [&hits, limit](const CacheHit &hit) {
        if (hits.hits.size() >= limit)
            hits.cut = true;
        else
            hits.hits << hit;
    };
    // The key layout: {"org", org, "task", repo, task}.
    const auto ofActor = [](const QString &actor) {
        CacheHit hit;
        const QStringList key = protocol::decodeKey(actor.section(QLatin1Char(' '), 1));
        if (actor.startsWith(QLatin1StringView("task ")) && key.size() == 5) {
            hit.repo = RepoId(key.at(3));
            hit.task = TaskId(key.at(4));
        }
        return hit;
    };
    const qint64 doc = document / 4;
    if (document % 4 == 2) {
        SqlQuery kept = m_file.query("SELECT actor, kind, names FROM kept WHERE doc = ?", doc);
        if (!kept.next())
            return;
        CacheHit hit = ofActor(kept.text(0));
        if (kept.text(1) != QLatin1StringView("diff")) {
            for (const QString &path : kept.text(2).split(QLatin1Char('\n'))) {
                if (!cachesearchHolds(path, words))
                    continue;
                hit.kind = CacheHitKind::File;
                hit.title = hit.path = path;
                add(hit);
            }
            return;
        }
        hit.kind = CacheHitKind::Diff;
        hit.title = hit.path = kept.text(2).section(QLatin1Char('\n'), 0, 0);
        hit.snippet = snippet;
        add(hit);
        return;
    }
    SqlQuery row = document % 4 == 1
        ? m_file.query("SELECT t.actor, t.topic, e.type, e.idx, e.value FROM entries e JOIN topics t ON t.id = e.topic "
                       "WHERE e.doc = ?",
            doc)
        : m_file.query("SELECT t.actor, t.topic, r.type, r.id, r.value FROM rows r JOIN topics t ON t.id = r.topic "
                       "WHERE r.doc = ?",
            doc);
    if (!row.next())
        return;
    CacheHit hit = ofActor(row.text(0));
    hit.snippet = snippet;
    const auto entity = protocol::decodeEntity(row.text(2), row.text(3), {}, row.bytes(4));
    if (!entity)
        return;
    if (const auto *task = std::get_if<TaskSummary>(&*entity)) {
        hit.kind = CacheHitKind::Task;
        hit.title = task->title;
        hit.snippet = task->branch;
        hit.repo = task->repoId;
        hit.task = task->id;
    } else if (const auto *repository = std::get_if<Repository>(&*entity)) {
        hit.kind = CacheHitKind::Repository;
        hit.title = repository->name;
        hit.repo = repository->id;
    } else if (const auto *session = std::get_if<Session>(&*entity)) {
        hit.kind = CacheHitKind::Session;
        hit.title = session->name;
        hit.session = session->id;
    } else if (const auto *queued = std::get_if<QueuedPrompt>(&*entity)) {
        hit.kind = CacheHitKind::Prompt;
        hit.session = queued->sessionId;
    } else if (const auto *change = std::get_if<FileChange>(&*entity)) {
        hit.kind = CacheHitKind::File;
        hit.title = hit.path = change->path;
    } else if (const auto *node = std::get_if<FileNode>(&*entity)) {
        hit.kind = CacheHitKind::File;
        hit.title = hit.path = node->path;
    } else if (const auto *process = std::get_if<Process>(&*entity)) {
        hit.kind = CacheHitKind::Process;
        hit.title = process->command;
    } else if (const auto *entry = std::get_if<TranscriptEntry>(&*entity)) {
        hit.kind = CacheHitKind::Entry;
        hit.session = SessionId(row.text(1).section(QLatin1Char('/'), 1));
        hit.index = entry->index;
        if (entry->tool)
            hit.title = entry->tool->title;
    } else {
        return;
    }
    add(hit);
}

} // namespace foundry::realtime
