#include "backend/observe/metrics.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <cmath>
#include <unistd.h>

namespace foundry::backend {

namespace {

QByteArray metricsNumber(double value)
{
    return QByteArray::number(value, 'g', 12);
}

QByteArray metricsEscaped(QByteArray text, bool quoted)
{
    text.replace('\\', "\\\\").replace('\n', "\\n");
    return quoted ? text.replace('"', "\\\"") : text;
}

QByteArray metricsLabels(const QByteArrayList &names, const QByteArrayList &values, const QByteArray &bound = {})
{
    QByteArrayList parts;
    for (qsizetype i = 0; i < names.size(); ++i)
        parts.append(names.at(i) + "=\"" + metricsEscaped(values.value(i), true) + '"');
    if (!bound.isEmpty())
        parts.append("le=\"" + bound + '"');
    return parts.isEmpty() ? QByteArray() : '{' + parts.join(',') + '}';
}

QByteArray metricsHead(const QByteArray &name, const QByteArray &help, const char *type)
{
    return "# HELP " + name + ' ' + metricsEscaped(help, false) + "\n# TYPE " + name + ' ' + type + '\n';
}

template <class Number>
void metricsText(QByteArray &out, const MetricFamily<Number> &family)
{
    out += metricsHead(family.name(), family.help(), std::is_same_v<Number, Counter> ? "counter" : "gauge");
    family.each([&](const QByteArrayList &values, const Number &figure) {
        out += family.name() + metricsLabels(family.labels(), values) + ' ' + QByteArray::number(figure.value()) + '\n';
    });
}

void metricsText(QByteArray &out, const MetricFamily<Histogram> &family)
{
    out += metricsHead(family.name(), family.help(), "histogram");
    family.each([&](const QByteArrayList &values, const Histogram &figure) {
        // Read once, so that the buckets, their sum and the count belong together while others count on.
        std::array<qint64, Histogram::bounds.size() + 1> below;
        for (std::size_t i = 0; i < below.size(); ++i)
            below[i] = figure.atMost(i);
        for (std::size_t i = 1; i < below.size(); ++i)
            below[i] = std::max(below[i], below[i - 1]);
        for (std::size_t i = 0; i < below.size(); ++i) {
            const QByteArray bound = i < Histogram::bounds.size() ? metricsNumber(Histogram::bounds[i]) : QByteArray("+Inf");
            out += family.name() + "_bucket" + metricsLabels(family.labels(), values, bound) + ' ' + QByteArray::number(below[i]) + '\n';
        }
        out += family.name() + "_sum" + metricsLabels(family.labels(), values) + ' ' + metricsNumber(figure.sum()) + '\n';
        out += family.name() + "_count" + metricsLabels(family.labels(), values) + ' ' + QByteArray::number(below.back()) + '\n';
    });
}

QJsonObject metricsOf(const Counter &figure)
{
    return {{QStringLiteral("value"), figure.value()}};
}

QJsonObject metricsOf(const Histogram &figure)
{
    return {{QStringLiteral("count"), figure.count()}, {QStringLiteral("sum"), figure.sum()},
        {QStringLiteral("p50"), figure.quantile(0.5)}, {QStringLiteral("p99"), figure.quantile(0.99)}};
}

template <class Figure>
void metricsObject(QJsonObject &out, const MetricFamily<Figure> &family)
{
    QJsonArray all;
    family.each([&](const QByteArrayList &values, const Figure &figure) {
        QJsonObject one = metricsOf(figure);
        for (qsizetype i = 0; i < family.labels().size(); ++i)
            one.insert(QString::fromUtf8(family.labels().at(i)), QString::fromUtf8(values.value(i)));
        all.append(one);
    });
    out.insert(QString::fromUtf8(family.name()), all);
}

// The one list of what there is.
void metricsEach(const HostMetrics &metrics, const auto &visit)
{
    visit(metrics.bootstrap);
    visit(metrics.connectionsOpened);
    visit(metrics.connections);
    visit(metrics.connectionsRefused);
    visit(metrics.reconnects);
    visit(metrics.projection);
    visit(metrics.workflowQueue);
    visit(metrics.workflowSteps);
    visit(metrics.drain);
    visit(metrics.action);
    visit(metrics.actionErrors);
    visit(metrics.mailboxWait);
    visit(metrics.commits);
    visit(metrics.statements);
    visit(metrics.outboxDepth);
    visit(metrics.openActors);
    visit(metrics.gitRuns);
    visit(metrics.agentsRunning);
    visit(metrics.decodeErrors);
}

} // namespace

void Histogram::observe(double seconds)
{
    const double real = std::isfinite(seconds) ? std::max(0.0, seconds) : 0.0;
    const auto bucket = std::size_t(std::lower_bound(bounds.begin(), bounds.end(), real) - bounds.begin());
    m_buckets[bucket].fetch_add(1, std::memory_order_relaxed);
    m_micros.fetch_add(qint64(real * 1e6), std::memory_order_relaxed);
}

qint64 Histogram::atMost(std::size_t bucket) const
{
    qint64 total = 0;
    for (std::size_t i = 0; i <= bucket && i < m_buckets.size(); ++i)
        total += m_buckets[i].load(std::memory_order_relaxed);
    return total;
}

qint64 Histogram::count() const
{
    return atMost(m_buckets.size() - 1);
}

double Histogram::quantile(double share) const
{
    const qint64 all = count();
    if (all == 0)
        return 0;
    const auto wanted = qint64(std::ceil(share * double(all)));
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        if (atMost(i) >= wanted)
            return bounds[i];
    }
    return bounds.back();
}

qint64 HostMetrics::residentBytes()
{
    QFile file(QStringLiteral("/proc/self/statm"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    return file.readAll().split(' ').value(1).toLongLong() * ::sysconf(_SC_PAGESIZE);
}

QByteArray HostMetrics::prometheus() const
{
    QByteArray out;
    metricsEach(*this, [&out](const auto &family) { metricsText(out, family); });
    out += metricsHead("foundry_resident_bytes", "Memory of the host that is in RAM", "gauge");
    out += "foundry_resident_bytes " + QByteArray::number(residentBytes()) + '\n';
    return out;
}

QByteArray HostMetrics::json() const
{
    QJsonObject out;
    metricsEach(*this, [&out](const auto &family) { metricsObject(out, family); });
    return QJsonDocument(out).toJson(QJsonDocument::Compact);
}

} // namespace foundry::backend
