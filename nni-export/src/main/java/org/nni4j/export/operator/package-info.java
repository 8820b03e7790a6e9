/** What becomes of each operator? One small mapping per operator, and the hooks around them. */
@NullMarked
package org.nni4j.export.operator;

import org.jspecify.annotations.NullMarked;
