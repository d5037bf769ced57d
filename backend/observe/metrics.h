// Figures of a running host: counters, gauges and histograms, grouped into families by name and labels. Any thread; a
// figure that is held by reference costs one atomic addition. Histograms count seconds.
#pragma once

#include <QByteArray>
#include <QByteArrayList>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>

namespace foundry::backend {

class Counter {
public:
    void add(qint64 n = 1) { m_value.fetch_add(n, std::memory_order_relaxed); }
    qint64 value() const { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<qint64> m_value = 0;
};

// Goes up and down.
class Gauge : public Counter { };

// One more for as long as it lives.
class Held {
public:
    explicit Held(Gauge &gauge)
        : m_gauge(gauge)
    {
        m_gauge.add(1);
    }
    ~Held() { m_gauge.add(-1); }
    Held(const Held &) = delete;
    Held &operator=(const Held &) = delete;

private:
    Gauge &m_gauge;
};

class Histogram {
public:
    static constexpr std::array<double, 14> bounds{
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120};

    void observe(double seconds);
    qint64 count() const;
    double sum() const { return double(m_micros.load(std::memory_order_relaxed)) / 1e6; }
    // In bucket i or below it; the last one is all.
    qint64 atMost(std::size_t bucket) const;
    // The bound below which a share of all lies; 0 when there are none.
    double quantile(double share) const;

private:
    std::array<std::atomic<qint64>, bounds.size() + 1> m_buckets = {};
    std::atomic<qint64> m_micros = 0;
};

// Since it was made, in seconds; monotonic.
class Stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begun).count(); }

private:
    std::chrono::steady_clock::time_point m_begun = std::chrono::steady_clock::now();
};

// One name with its labels. A label has at most `limit` different values together: what comes after is counted under
// "other", so that keys and ids cannot make the figures grow without end.
template <class Figure>
class MetricFamily {
public:
    MetricFamily(QByteArray name, QByteArray help, QByteArrayList labels = {}, qsizetype limit = 64)
        : m_name(std::move(name))
        , m_help(std::move(help))
        , m_labels(std::move(labels))
        , m_limit(limit)
    {
    }

    Figure &with(const QByteArrayList &values = {})
    {
        {
            const std::shared_lock lock(m_mutex);
            if (const auto known = m_figures.find(values); known != m_figures.end())
                return *known->second;
        }
        const std::unique_lock lock(m_mutex);
        QByteArrayList place = values;
        if (qsizetype(m_figures.size()) >= m_limit && !m_figures.contains(place))
            place.fill("other");
        auto &figure = m_figures[place];
        if (!figure)
            figure = std::make_unique<Figure>();
        return *figure;
    }
    void each(const std::function<void(const QByteArrayList &values, const Figure &)> &visit) const
    {
        const std::shared_lock lock(m_mutex);
        for (const auto &[values, figure] : m_figures)
            visit(values, *figure);
    }
    const QByteArray &name() const { return m_name; }
    const QByteArray &help() const { return m_help; }
    const QByteArrayList &labels() const { return m_labels; }

private:
    const QByteArray m_name;
    const QByteArray m_help;
    const QByteArrayList m_labels;
    const qsizetype m_limit;
    mutable std::shared_mutex m_mutex;
    std::map<QByteArrayList, std::unique_ptr<Figure>> m_figures;
};

// All that the host counts. One for a host, made before everything that counts and gone after it.
struct HostMetrics {
    MetricFamily<Histogram> bootstrap{"foundry_bootstrap_seconds", "First catch-up of a topic (changesSince without a generation)", {"actor"}};
    MetricFamily<Counter> connectionsOpened{"foundry_connections_opened_total", "Connections that were attached to an actor", {"actor"}};
    MetricFamily<Gauge> connections{"foundry_connections", "Connections open now", {"actor"}};
    MetricFamily<Counter> connectionsRefused{"foundry_connections_refused_total", "Connections that were refused", {"error"}};
    MetricFamily<Counter> reconnects{"foundry_reconnects_total", "Connections of a user to an actor that this user left within two minutes", {"key"}};
    MetricFamily<Histogram> projection{"foundry_projection_update_seconds", "A durable send was applied to the rows of its receiver", {"actor", "send"}, 128};
    MetricFamily<Histogram> workflowQueue{"foundry_workflow_queue_seconds", "From when a step could begin to when it began", {"step"}};
    MetricFamily<Counter> workflowSteps{"foundry_workflow_steps_total", "Steps that ended", {"step", "state"}, 128};
    MetricFamily<Histogram> drain{"foundry_drain_seconds", "From the wish to stop an actor to its end", {"actor"}};
    MetricFamily<Histogram> action{"foundry_action_seconds", "An action inside its actor", {"actor", "action"}, 160};
    MetricFamily<Counter> actionErrors{"foundry_action_errors_total", "Actions that were answered with an error", {"actor", "error"}, 128};
    MetricFamily<Histogram> mailboxWait{"foundry_mailbox_wait_seconds", "A message waited for its actor", {"actor"}};
    MetricFamily<Counter> commits{"foundry_commits_total", "Transactions of actors that were committed", {"actor"}};
    MetricFamily<Counter> statements{"foundry_statements_total", "Statements that actors ran in their databases", {"actor"}};
    MetricFamily<Gauge> outboxDepth{"foundry_outbox_depth", "Sends of open actors that are not acknowledged yet", {}};
    MetricFamily<Gauge> openActors{"foundry_open_actors", "Actors whose database is open", {"actor"}};
    MetricFamily<Counter> gitRuns{"foundry_git_runs_total", "Runs of git", {"command"}};
    MetricFamily<Gauge> agentsRunning{"foundry_agents_running", "Agent processes", {}};
    MetricFamily<Counter> decodeErrors{"foundry_decode_errors_total", "Messages of clients that could not be read", {"where"}};

    // The text format 0.0.4 of Prometheus, with what the system says about this process.
    QByteArray prometheus() const;
    // One JSON object: name → [{labels, "value"} or {labels, "count","sum","p50","p99"}].
    QByteArray json() const;
    static qint64 residentBytes();
};

} // namespace foundry::backend
