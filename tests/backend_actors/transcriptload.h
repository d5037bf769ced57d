// Transcripts of any length in real actors on disk, and what appending to them, their last page and a search in them cost.
// For the benchmark's row H3, the soak test and a quick one. Blocking.
#pragma once

#include "backend/actors/actorruntime.h"
#include "backend/actors/transcriptwriter.h"
#include "realtime/protocol/codec.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QThread>

#include <algorithm>
#include <memory>
#include <mutex>

namespace foundry::test {

inline double middle(QList<double> samples)
{
    std::sort(samples.begin(), samples.end());
    return samples.isEmpty() ? 0 : samples.at(samples.size() / 2);
}

// Writes entries as a task does: text that grows, tool calls, turns.
class TranscriptLoadActor final : public backend::Actor {
public:
    TranscriptLoadActor(backend::ActorContext &context, QString blobs)
        : Actor(context)
        , m_session(QStringLiteral("s"))
        , m_blobs(std::move(blobs))
        , m_index(context)
    {
    }
    QStringList migrations() const override { return {backend::TranscriptWriter::schema() + backend::TranscriptIndex::schema()}; }
    void started() override { m_writer = std::make_unique<backend::TranscriptWriter>(context(), m_blobs, m_session); }
    void registerActions(backend::ActionTable &table) override
    {
        const auto number = [](QByteArrayView args) { return QJsonDocument::fromJson(args.toByteArray()).array().at(0).toInteger(); };
        table.read(QStringLiteral("grow"), [this, number](const backend::Caller &, QByteArrayView args) -> Result<QByteArray> {
            const qint64 rows = number(args);
            while (m_writer->entryCount() < rows) {
                auto done = context().transaction([&](backend::Transaction &tx) -> Result<> {
                    for (int i = 0; i < 200 && m_writer->entryCount() < rows; ++i)
                        step(tx);
                    return Unit{};
                });
                if (!done)
                    return done.error();
            }
            return QByteArray::number(m_writer->entryCount());
        });
        // Microseconds of each of so many batches, as one of 50 ms is: some text, a tool call.
        table.read(QStringLiteral("append"), [this, number](const backend::Caller &, QByteArrayView args) -> Result<QByteArray> {
            QJsonArray samples;
            for (qint64 i = number(args); i > 0; --i) {
                QElapsedTimer clock;
                clock.start();
                auto done = context().transaction([&](backend::Transaction &tx) -> Result<> {
                    step(tx);
                    step(tx);
                    return Unit{};
                });
                if (!done)
                    return done.error();
                samples.append(double(clock.nsecsElapsed()) / 1000);
            }
            return QJsonDocument(samples).toJson(QJsonDocument::Compact);
        });
        table.read(QStringLiteral("last"), [this, number](const backend::Caller &, QByteArrayView args) -> Result<QByteArray> {
            QJsonArray samples;
            for (qint64 i = number(args); i > 0; --i) {
                QElapsedTimer clock;
                clock.start();
                TranscriptPage page;
                for (Entity &entity : context().window(topic(), std::nullopt, std::nullopt, 200)) {
                    if (auto *entry = std::get_if<TranscriptEntry>(&entity))
                        page.entries.append(std::move(*entry));
                }
                page.count = context().rowCount(topic());
                const QByteArray json = protocol::encodeValue(page);
                samples.append(double(clock.nsecsElapsed()) / 1000);
                if (page.entries.size() < 100 || json.isEmpty())
                    return makeError(QLatin1StringView("internal"), QLatin1StringView("test"), QStringLiteral("the page is not whole"));
            }
            return QJsonDocument(samples).toJson(QJsonDocument::Compact);
        });
        table.read(QStringLiteral("search"), [this](const backend::Caller &, QByteArrayView args) -> Result<QByteArray> {
            SearchTranscript asked;
            asked.query = QJsonDocument::fromJson(args.toByteArray()).array().at(0).toString();
            QElapsedTimer clock;
            clock.start();
            auto hits = m_index.search(asked, {m_session}, [](const SessionId &) { return std::nullopt; });
            if (!hits)
                return hits.error();
            return QJsonDocument(QJsonArray{double(clock.nsecsElapsed()) / 1000, hits->hits.size()}).toJson(QJsonDocument::Compact);
        });
        // Statements that pass over a table instead of going to what they want.
        table.read(QStringLiteral("scans"), [this](const backend::Caller &, QByteArrayView) -> Result<QByteArray> {
            QJsonArray scans;
            for (const char *sql : {"SELECT type, id, rev, updated_at, value FROM rows WHERE topic = 1 AND ord < 9 AND ord IS NOT NULL AND removed = 0 ORDER BY ord DESC LIMIT 9",
                     "SELECT type, id, rev, updated_at, value FROM rows WHERE topic = 1 AND ord > 9 AND ord IS NOT NULL AND removed = 0 ORDER BY ord LIMIT 9",
                     "SELECT type, id, rev, updated_at, value FROM rows WHERE topic = 1 AND type = 'a' AND removed = 0 AND ord IS NULL ORDER BY seq",
                     "SELECT value, removed FROM rows WHERE topic = 1 AND type = 'a' AND id = 'b'",
                     "SELECT number FROM transcript_sessions WHERE session = 'a'"}) {
                auto q = context().database().query(QByteArray("EXPLAIN QUERY PLAN ") + sql);
                while (q.next()) {
                    if (q.text(3).startsWith(QLatin1StringView("SCAN")) || q.text(3).contains(QLatin1StringView("TEMP B-TREE")))
                        scans.append(QString::fromLatin1(sql) + QStringLiteral(": ") + q.text(3));
                }
            }
            return QJsonDocument(scans).toJson(QJsonDocument::Compact);
        });
    }

private:
    static QString topic() { return QStringLiteral("session/s"); }
    QString words(int count)
    {
        QString text;
        for (int i = 0; i < count; ++i) {
            m_random = m_random * 6364136223846793005ULL + 1442695040888963407ULL;
            text += QStringLiteral("word%1 ").arg((m_random >> 33) % 5000);
        }
        return text;
    }
    void step(backend::Transaction &tx)
    {
        const qint64 at = m_writer->entryCount();
        TranscriptEntry carrier;
        if (at % 50 == 0) {
            if (at > 0)
                m_writer->endTurn(tx, TurnEnd{QStringLiteral("end_turn"), 1, {}});
            m_writer->beginTurn(tx, at / 50, words(12), {});
            return;
        }
        if (at % 2) {
            carrier.kind = EntryKind::AgentMessage;
            carrier.text = words(20);
        } else {
            carrier.kind = EntryKind::ToolCall;
            ToolCall call;
            call.callId = QString::number(at);
            call.title = QStringLiteral("Run ") + words(3);
            call.status = QStringLiteral("completed");
            call.content = {ToolText{{words(15)}}};
            carrier.tool = call;
        }
        m_writer->buffer(carrier, 200);
        m_writer->flush(tx);
    }

    SessionId m_session;
    backend::BlobStore m_blobs;
    std::unique_ptr<backend::TranscriptWriter> m_writer;
    backend::TranscriptIndex m_index;
    quint64 m_random = 1;
};

class TranscriptLoad {
public:
    TranscriptLoad()
    {
        backend::RuntimeOptions options;
        options.dataDir = m_folder.path();
        backend::ActorFactory factory;
        factory.name = QStringLiteral("load");
        factory.keyMatches = [](const QStringList &) { return true; };
        factory.make = [blobs = m_folder.path() + QStringLiteral("/blobs")](backend::ActorContext &context) {
            return std::make_unique<TranscriptLoadActor>(context, blobs);
        };
        m_runtime = std::make_unique<backend::ActorRuntime>(options, QList<backend::ActorFactory>{factory});
        m_open = m_runtime->open(nullptr).ok();
    }
    ~TranscriptLoad()
    {
        bool done = false;
        m_runtime->stop([&done] { done = true; });
        while (!done)
            QCoreApplication::processEvents(QEventLoop::AllEvents, 50);
    }

    Result<QJsonArray> call(const QString &transcript, const QString &action, const QJsonValue &argument)
    {
        auto ref = m_runtime->getOrCreate({QStringLiteral("load"), {transcript}});
        if (!ref)
            return ref.error();
        struct Answer {
            std::mutex mutex;
            std::optional<Result<QByteArray>> value;
        };
        auto answer = std::make_shared<Answer>();
        m_runtime->act(ref->id, backend::ActorCall{action, QJsonDocument(QJsonArray{argument}).toJson(QJsonDocument::Compact), {}, {}},
            [answer](Result<QByteArray> result) {
                const std::lock_guard lock(answer->mutex);
                answer->value = std::move(result);
            });
        for (;;) {
            {
                const std::lock_guard lock(answer->mutex);
                if (answer->value)
                    return *answer->value ? Result<QJsonArray>(QJsonDocument::fromJson(**answer->value).array()) : Result<QJsonArray>(answer->value->error());
            }
            QCoreApplication::processEvents();
            QThread::msleep(1);
        }
    }
    Result<QJsonArray> grow(const QString &transcript, qint64 rows) { return call(transcript, QStringLiteral("grow"), rows); }

    struct Ratio {
        double few = 0;  // median, microseconds
        double many = 0;
        double ratio() const { return few > 0 ? many / few : 0; }
    };
    // Two transcripts in turns, so that a loaded machine is slow for both. `action`: append, last.
    Result<Ratio> compare(const QString &few, const QString &many, const QString &action, int rounds, int each)
    {
        QList<double> samples[2];
        for (int round = 0; round < rounds; ++round) {
            for (int which = 0; which < 2; ++which) {
                auto got = call(which ? many : few, action, each);
                if (!got)
                    return got.error();
                for (const auto &value : std::as_const(*got))
                    samples[which].append(value.toDouble());
            }
        }
        return Ratio{middle(samples[0]), middle(samples[1])};
    }

private:
    QTemporaryDir m_folder;
    std::unique_ptr<backend::ActorRuntime> m_runtime;
    bool m_open = false;
};

} // namespace foundry::test
