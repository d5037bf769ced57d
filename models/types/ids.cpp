#include "models/types/ids.h"

#include <QDateTime>
#include <QRandomGenerator>

namespace foundry {

QString makeUuid7()
{
    // Layout of RFC 9562, section 5.7: 48 bits of milliseconds, version, 12 random bits, variant, 62 random bits.
    const quint64 ms = quint64(QDateTime::currentMSecsSinceEpoch());
    const quint64 high = (ms << 16) | 0x7000u | (QRandomGenerator::system()->generate() & 0x0fffu);
    const quint64 low = (QRandomGenerator::system()->generate64() & 0x3fffffffffffffffull) | 0x8000000000000000ull;
    const QString hex = QStringLiteral("%1%2").arg(high, 16, 16, QLatin1Char('0')).arg(low, 16, 16, QLatin1Char('0'));
    return hex.mid(0, 8) + QLatin1Char('-') + hex.mid(8, 4) + QLatin1Char('-') + hex.mid(12, 4) + QLatin1Char('-')
        + hex.mid(16, 4) + QLatin1Char('-') + hex.mid(20);
}

} // namespace foundry
