// Actor keys on the wire: parts joined with '/', with '\' and '/' escaped, an empty part written "\0", the empty key
// written "/" (rivet-protocol, section 2).
#pragma once

#include <QStringList>

namespace foundry::protocol {

QString encodeKey(const QStringList &parts);
QStringList decodeKey(QStringView text);

} // namespace foundry::protocol
