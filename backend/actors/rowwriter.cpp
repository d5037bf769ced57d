#include "backend/actors/rowwriter.h"

#include <QTimer>

namespace foundry::backend {

namespace {

constexpr qsizetype rowwriterSlice = 400;

} // namespace

struct RowWriter::Work {
    RowChanges changes;
    std::function<Result<>(Transaction &)> last;
    std::function<void(const Result<> &)> then;
};

void RowWriter::write(RowChanges changes, std::function<Result<>(Transaction &)> last, std::function<void(const Result<> &)> then)
{
    slice(std::make_shared<Work>(Work{std::move(changes), std::move(last), std::move(then)}));
}

void RowWriter::slice(const std::shared_ptr<Work> &work)
{
    RowChanges &changes = work->changes;
    const bool isLast = changes.puts.size() + changes.removals.size() <= rowwriterSlice;
    const auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        qsizetype left = rowwriterSlice;
        for (; left > 0 && !changes.removals.isEmpty(); --left) {
            const Removal gone = changes.removals.takeLast();
            tx.remove(m_topic, gone.type, gone.id);
        }
        for (; left > 0 && !changes.puts.isEmpty(); --left)
            tx.put(m_topic, changes.puts.takeLast());
        return isLast ? work->last(tx) : Result<>(Unit{});
    });
    if (isLast || !written) {
        work->then(written);
        return;
    }
    QTimer::singleShot(0, m_context.owner(), [this, work] { slice(work); });
}

} // namespace foundry::backend
